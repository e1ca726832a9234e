#include "runtime/kinds/text.hpp"

#include <cstddef>

namespace quell {

namespace {

unsigned char byte(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// Length of the well-formed character at `at`, or 0 (Unicode 15, table 3-7).
std::size_t character_at(std::string_view text, std::size_t at) {
  const unsigned char first = byte(text, at), second = byte(text, at + 1);
  const auto follows = [&](std::size_t n) { return (byte(text, at + n) & 0xc0) == 0x80; };
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return follows(1) ? 2 : 0;
  if (first < 0xf0) {
    const bool overlong = first == 0xe0 && second < 0xa0,
               surrogate = first == 0xed && second > 0x9f;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  const bool overlong = first == 0xf0 && second < 0x90, beyond = first == 0xf4 && second > 0x8f;
  return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = character_at(bytes, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string as_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = character_at(bytes, at);
    text += size == 0 ? std::string_view("\xef\xbf\xbd") : bytes.substr(at, size);
    at += size == 0 ? 1 : size;
  }
  return text;
}

std::string lower_case(std::string_view text) {
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return small;
}

std::string_view tail_of(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t from = text.size() - most;
  while (from < text.size() && (byte(text, from) & 0xc0) == 0x80) ++from;
  return text.substr(from);
}

}  // namespace quell
