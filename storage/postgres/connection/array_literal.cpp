#include "storage/postgres/connection/array_literal.hpp"

#include <fmt/format.h>

#include "runtime/base/hex.hpp"
#include "runtime/base/utf8.hpp"
#include "storage/fault.hpp"

namespace quell::storage::postgres {

namespace {

// How many bytes the character at `at` has; 0 when there is none that PostgreSQL would store.
std::size_t character(std::string_view text, std::size_t at) {
  return text[at] == 0 ? 0 : utf8_length(text.substr(at));
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
  for (const char c : bytes) quell::append_hex(out, static_cast<std::uint8_t>(c));
}

void append_uuid(std::string& out, const Uuid& id) {
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    quell::append_hex(out, id.bytes[i]);
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
