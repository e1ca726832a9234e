#include "runtime/task/typed_kind.hpp"

#include <algorithm>
#include <array>

#include "runtime/base/bounded_json.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;
constexpr std::size_t most_fields = 200;  // looked at to name the wrong one

// "key 'x' not found", without the library's number before it.
std::string plain(const std::string& sentence) {
  const std::size_t end = sentence.starts_with("[json.exception") ? sentence.find("] ") : 0;
  return end == 0 || end == std::string::npos ? sentence : sentence.substr(end + 2);
}

std::string missing_field(const std::string& sentence) {
  const std::string begin = "key '", end = "' not found";
  if (!sentence.starts_with(begin) || !sentence.ends_with(end)) return {};
  return sentence.substr(begin.size(), sentence.size() - begin.size() - end.size());
}

// A pointer "/limits/depth" as people write it.
std::string dotted(const Json::json_pointer& pointer) {
  std::string text = "args";
  for (Json::json_pointer at = pointer; !at.empty(); at.pop_back()) text.insert(4, "." + at.back());
  return text;
}

// from_json does not say which field has the wrong type. The wrong one is the field that, given
// another type, makes the fault go away.
std::string wrong_field(const Json& args, const detail::ArgsReader& read) {
  static const std::array<Json, 6> others{Json("0"),   Json(0),       Json(0.5),
                                          Json(false), Json::array(), Json::object()};
  const Json flat = args.flatten();
  if (flat.size() > most_fields) return {};
  for (const auto& [path, value] : flat.items()) {
    const Json::json_pointer pointer(path);
    for (const Json& other : others) {
      Json changed = args;
      changed[pointer] = other;
      if (!read(changed)) return dotted(pointer);
    }
  }
  return {};
}

}  // namespace

Result<Json> detail::checked_args(const std::string& text, const ArgsReader& read) {
  Json args = json_from_outside(text.empty() ? "{}" : std::string_view(text));
  if (!args.is_object())
    return Error{ErrorCode::invalid_field, "the args must be a JSON object nested at most 64 deep"};
  const auto fault = read(args);
  if (!fault) return args;
  const std::string sentence = plain(*fault);
  if (const std::string name = missing_field(sentence); !name.empty())
    return Error{ErrorCode::invalid_field, "args." + name + " is missing"};
  const std::string name = wrong_field(args, read);
  return Error{ErrorCode::invalid_field,
               name.empty() ? "args: " + sentence : name + ": " + sentence};
}

}  // namespace quell
