#include "runtime/base/bounded_ordered_json.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"

namespace quell {

namespace {

using Json = nlohmann::ordered_json;

}  // namespace

Json ordered_json_from_outside(std::string_view text) {
  if (text.size() > json_bytes_limit || !is_within(text, json_depth_limit, json_values_limit))
    return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, false);
}

Json ordered_json_of_ours(std::string_view text) {
  if (text.size() > own_json_bytes_limit || !is_within(text, own_json_depth_limit, text.size() + 1))
    return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, false);
}

}  // namespace quell
