// Bytes as pairs of hexadecimal digits: hashes, ids, keys. Written in small letters; who reads
// decides whether large ones will do.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quell {

constexpr std::string_view hex_digits = "0123456789abcdef";

// 0 to 15, or -1 for what is no digit.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr void append_hex(std::string& out, std::uint8_t byte) {
  out += hex_digits[byte >> 4];
  out += hex_digits[byte & 15];
}

std::string hex(std::span<const std::uint8_t> bytes);
bool is_lower_hex(std::string_view text);  // also when it is empty
// A hash has one spelling: small letters only.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

}  // namespace quell
