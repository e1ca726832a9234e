#include "http/cli/yaml.hpp"

#include <algorithm>
#include <utility>

namespace quell::cli {

namespace {

using Json = nlohmann::ordered_json;

bool is_flat(const Json& value) {
  return !value.is_structured() || value.empty();
}

bool is_plain_key(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(),
                                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

// In a list, the first line stands behind the list's own dash.
void append(std::string& out, const Json& value, std::size_t depth, bool in_list) {
  const std::string pad(depth * 2, ' ');
  bool first = in_list;
  const auto begin_line = [&] {
    if (!std::exchange(first, false)) out += pad;
  };
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      begin_line();
      out += (is_plain_key(key) ? key : Json(key).dump()) + ":";
      if (is_flat(member)) {
        out += " " + member.dump() + "\n";
      } else {
        out += "\n";
        append(out, member, depth + 1, false);
      }
    }
    return;
  }
  for (const Json& item : value) {
    begin_line();
    out += "- ";
    if (is_flat(item))
      out += item.dump() + "\n";
    else
      append(out, item, depth + 1, true);
  }
}

}  // namespace

std::string yaml_of(const Json& value) {
  std::string out;
  if (is_flat(value))
    out = value.dump() + "\n";
  else
    append(out, value, 0, false);
  return out;
}

}  // namespace quell::cli
