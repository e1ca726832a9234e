#include "runtime/base/bounded_json.hpp"

#include <nlohmann/json.hpp>

namespace quell {

namespace {

std::size_t behind_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at;
}

nlohmann::json discarded() {
  return nlohmann::json(nlohmann::json::value_t::discarded);
}

}  // namespace

// A text that is no JSON may be measured wrongly: it is refused by the parser anyway.
bool is_within(std::string_view text, int depth, std::size_t values) {
  int open = 0;
  std::size_t seen = 1;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      at = behind_string(text, at);
    } else if (c == '[' || c == '{') {
      if (++open > depth || ++seen > values) return false;
    } else if (c == ']' || c == '}') {
      --open;
    } else if (c == ',' && ++seen > values) {
      return false;
    }
  }
  return true;
}

nlohmann::json json_from_outside(std::string_view text) {
  if (text.size() > json_bytes_limit || !is_within(text, json_depth_limit, json_values_limit))
    return discarded();
  return nlohmann::json::parse(text, nullptr, false);
}

nlohmann::json json_of_ours(std::string_view text) {
  // As many values as its bytes allow: its own size was bounded when it was written.
  if (text.size() > own_json_bytes_limit || !is_within(text, own_json_depth_limit, text.size() + 1))
    return discarded();
  return nlohmann::json::parse(text, nullptr, false);
}

}  // namespace quell
