// Writes JSON by appending: replies are built once and sent, so a document tree would be made only
// to be thrown away.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/clock.hpp"

namespace quell::http {

void append_quoted(std::string& out, std::string_view text);
std::string json_string(std::string_view text);
void append_number(std::string& out, std::int64_t value);
void append_number(std::string& out, double value);  // shortest text that reads back the same

std::string time_text(Instant at);  // RFC 3339, UTC, milliseconds
std::optional<Instant> parse_time(std::string_view text);

// One object; members keep the order in which they were written.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;
  ~ObjectWriter() { out_ += '}'; }

  std::string& key(std::string_view name);  // the caller appends the value
  void text(std::string_view name, std::string_view value) { append_quoted(key(name), value); }
  void text_or_null(std::string_view name, std::string_view value);  // "" is null
  void number(std::string_view name, std::int64_t value) { append_number(key(name), value); }
  void real(std::string_view name, double value) { append_number(key(name), value); }
  void flag(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
  void null(std::string_view name) { key(name) += "null"; }
  void json(std::string_view name, std::string_view value);  // "" is null
  void time(std::string_view name, const std::optional<Instant>& at);

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace quell::http
