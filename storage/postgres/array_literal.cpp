#include "storage/postgres/array_literal.hpp"

#include <fmt/format.h>

#include "storage/fault.hpp"

namespace quell::storage::postgres {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

bool is_tail(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

// How many bytes the character at `at` has; 0 when there is none that PostgreSQL would store.
std::size_t character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !is_tail(text, at + 1)) return 0;
  if (first < 0xe0) return 2;
  if (!is_tail(text, at + 2)) return 0;
  if (first == 0xe0 && byte(1) < 0xa0) return 0;  // longer than it needs to be
  if (first == 0xed && byte(1) > 0x9f) return 0;  // a surrogate
  if (first < 0xf0) return 3;
  if (!is_tail(text, at + 3)) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;  // beyond U+10FFFF
  return 4;
}

}  // namespace

std::string shown_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character(text, at);
    if (size == 0)
      out += "\xef\xbf\xbd";
    else
      out += text.substr(at, size);
    at += size == 0 ? 1 : size;
  }
  return out;
}

std::string_view checked_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character(text, at);
    if (size == 0)
      throw Fault(Error{ErrorCode::invalid_field, "a name holds a NUL, or is no UTF-8"}, true);
    at += size;
  }
  return text;
}

void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += hex_digits[byte >> 4];
    out += hex_digits[byte & 15];
  }
}

void append_uuid(std::string& out, const Uuid& id) {
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += hex_digits[id.bytes[i] >> 4];
    out += hex_digits[id.bytes[i] & 15];
  }
}

void ArrayLiteral::add(std::int64_t number) {
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", number);
}

void ArrayLiteral::add(double number) {
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", number);  // shortest form that comes back exact
}

void ArrayLiteral::add(const Uuid& id) {
  separate();
  append_uuid(text_, id);
}

void ArrayLiteral::add(std::string_view text) {
  separate();
  text_ += '"';
  for (const char c : checked_text(text)) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void ArrayLiteral::add(Bytes bytes) {
  separate();
  text_ += "\"\\\\x";  // the literal halves the backslashes; bytea then reads \x…
  append_hex(text_, bytes.bytes);
  text_ += '"';
}

void ArrayLiteral::add(std::nullopt_t) {
  separate();
  text_ += "NULL";
}

}  // namespace quell::storage::postgres
