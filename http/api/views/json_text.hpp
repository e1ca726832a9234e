// A strict reader of JSON that builds nothing. The API keeps most of a body as the text it came as
// (`args`, results), so it needs to know where values begin and end, and that no second reader can
// understand them differently: no duplicate keys, no broken UTF-8, no NUL, no endless depth.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/bounded_json.hpp"
#include "runtime/base/result.hpp"

namespace quell::http {

inline constexpr std::size_t json_members_limit = 10'000;  // of one object

enum class JsonKind : std::uint8_t { object, array, string, number, boolean, null };

struct JsonMember;

// A piece of a text that `read_json` accepted; it lives as long as that text.
class JsonValue {
 public:
  JsonValue() = default;
  explicit JsonValue(std::string_view checked) : text_(checked) {}

  std::string_view text() const { return text_; }
  JsonKind kind() const;
  std::vector<JsonMember> members() const;  // of an object
  std::vector<JsonValue> items() const;     // of an array

  std::optional<std::string> string() const;  // unescaped
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<bool> boolean() const;
  bool is_null() const { return kind() == JsonKind::null; }

 private:
  std::string_view text_ = "null";
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// Checks all of `text`. The fault says at which byte, and what.
Result<JsonValue> read_json(std::string_view text);

}  // namespace quell::http
