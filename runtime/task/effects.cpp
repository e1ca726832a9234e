#include "runtime/task/effects.hpp"

#include <algorithm>

namespace quell {

namespace {

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same_name(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return small(x) == small(y); });
}

}  // namespace

std::string HttpReply::header(const std::string& name) const {
  for (const auto& [known, value] : headers_)
    if (same_name(known, name)) return value;
  return {};
}

}  // namespace quell
