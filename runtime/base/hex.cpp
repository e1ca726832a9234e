#include "runtime/base/hex.hpp"

namespace quell {

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) append_hex(text, byte);
  return text;
}

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of(hex_digits) == std::string_view::npos;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0 || !is_lower_hex(text)) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2)
    bytes.push_back(static_cast<std::uint8_t>(hex_digit(text[at]) * 16 + hex_digit(text[at + 1])));
  return bytes;
}

}  // namespace quell
