// Bytes as text for keys, signatures and receipts: standard base64 with padding, read strictly, so
// that one value has one spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quell {

using Bytes = std::vector<std::uint8_t>;

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string base64(std::span<const std::uint8_t> bytes);
inline std::string base64(std::string_view text) {
  return base64(bytes_of(text));
}
std::optional<Bytes> from_base64(std::string_view text);

std::string base64url(
    std::span<const std::uint8_t> bytes);  // - and _, no padding: for names in URLs and tokens
std::optional<Bytes> from_base64url(std::string_view text);

}  // namespace quell
