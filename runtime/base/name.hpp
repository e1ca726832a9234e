// What may be called how: queues, pools, secrets, tokens, projects. One rule for all, because one
// that the API takes and the command line splits at a colon is found out in production.
#pragma once

#include <algorithm>
#include <string_view>

namespace quell {

constexpr std::size_t name_max = 128;
constexpr std::string_view name_rule = "letters, digits, '.', '_' and '-', at most 128 of them";

constexpr bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_max && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace quell
