// libpqxx 6 has no array parameters: this is the one place that writes them as literals. A value
// that goes through here comes back as it was, or is refused; nothing in it can end the literal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"

namespace quell::storage::postgres {

// Bytes, as opposed to text: any byte survives.
struct Bytes {
  std::string_view bytes;
};

// A word that people wrote (a reason, a name to be shown): a byte that no text column can hold is
// shown as U+FFFD instead of failing the delete that it came with.
std::string shown_text(std::string_view text);
// Throws a data fault when the text holds a NUL or is no UTF-8. For what is compared: a name that
// was changed would be another name.
std::string_view checked_text(std::string_view text);

void append_uuid(std::string& out, const Uuid& id);
void append_hex(std::string& out, std::string_view bytes);

class ArrayLiteral {
 public:
  void add(std::int64_t number);
  void add(int number) { add(std::int64_t{number}); }
  void add(bool value) { add(std::int64_t{value}); }
  void add(double number);
  void add(const Uuid& id);
  void add(Instant at) { add(std::int64_t{at.time_since_epoch().count()}); }
  void add(std::string_view text);  // checked_text
  void add(const std::string& text) { add(std::string_view(text)); }
  void add(Bytes bytes);
  void add(std::nullopt_t);
  template <class T>
  void add(const std::optional<T>& value) {
    if (value)
      add(*value);
    else
      add(std::nullopt);
  }
  bool empty() const { return text_.size() == 1; }
  std::string literal() const { return text_ + "}"; }

 private:
  void separate() {
    if (text_.size() > 1) text_ += ',';
  }
  std::string text_ = "{";
};

}  // namespace quell::storage::postgres
