// Both readers of JSON agree: what the API accepts a job can read, with the same members, and
// nothing is deeper than allowed.
#include <nlohmann/json.hpp>
#include <set>

#include "http/api/views/json_text.hpp"
#include "runtime/base/bounded_json.hpp"
#include "tests/fuzz/property.hpp"

using namespace quell;
using fuzz::hold;

namespace {

int depth_of(const nlohmann::json& value) {
  int depth = 0;
  if (value.is_structured())
    for (const auto& inner : value) depth = std::max(depth, depth_of(inner));
  return depth + (value.is_structured() ? 1 : 0);
}

void hold_equal(const http::JsonValue& ours, const nlohmann::json& theirs) {
  switch (ours.kind()) {
    case http::JsonKind::object: {
      const auto members = ours.members();
      hold(theirs.is_object() && members.size() == theirs.size(), "no member is seen by one alone");
      for (const auto& [name, value] : members) {
        hold(theirs.contains(name), "a name is unescaped alike");
        hold_equal(value, theirs[name]);
      }
      break;
    }
    case http::JsonKind::array: {
      const auto items = ours.items();
      hold(theirs.is_array() && items.size() == theirs.size(), "no item is seen by one alone");
      for (std::size_t i = 0; i < items.size(); ++i) hold_equal(items[i], theirs[i]);
      break;
    }
    case http::JsonKind::string:
      hold(theirs.is_string() && *ours.string() == theirs.get<std::string>(), "the same string");
      break;
    case http::JsonKind::number:
      hold(theirs.is_number(), "the same number");
      if (const auto whole = ours.integer())
        hold(theirs.is_number_integer() && theirs.get<std::int64_t>() == *whole,
             "the same integer");
      break;
    case http::JsonKind::boolean:
      hold(theirs.is_boolean() && theirs.get<bool>() == *ours.boolean(), "the same truth");
      break;
    case http::JsonKind::null:
      hold(theirs.is_null(), "the same nothing");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const nlohmann::json outside = json_from_outside(text);
  if (!outside.is_discarded()) {
    hold(depth_of(outside) <= json_depth_limit, "a depth that can be walked");
    hold(json_from_outside(outside.dump()) == outside, "written and read is the same");
  }
  const auto accepted = http::read_json(text);
  if (!accepted) return 0;
  hold(!outside.is_discarded(), "what the API accepts a job can read");
  hold_equal(*accepted, outside);
  return 0;
}
