#include "http/api/views/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "http/api/views/json_scanner.hpp"

namespace quell::http {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Everything below walks text that the scanner has accepted, so it only looks for borders.
std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

std::size_t string_end(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at + 1;
}

std::size_t value_end(std::string_view text, std::size_t at) {
  if (text[at] == '"') return string_end(text, at);
  if (text[at] != '{' && text[at] != '[') {
    while (at < text.size() && text[at] != ',' && text[at] != '}' && text[at] != ']' &&
           !is_space(text[at]))
      ++at;
    return at;
  }
  int depth = 0;
  for (;;) {
    const char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
    if (depth == 0) return at;
  }
}

}  // namespace

JsonKind JsonValue::kind() const {
  switch (text_.front()) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::string;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return JsonKind::number;
  }
}

std::vector<JsonMember> JsonValue::members() const {
  std::vector<JsonMember> found;
  if (kind() != JsonKind::object) return found;
  found.reserve(8);
  std::size_t at = skip_space(text_, 1);
  while (text_[at] != '}') {
    const std::size_t name_end = string_end(text_, at);
    std::string name = unescape_json(text_.substr(at, name_end - at));
    at = skip_space(text_, skip_space(text_, name_end) + 1);  // past the colon
    const std::size_t end = value_end(text_, at);
    found.push_back({std::move(name), JsonValue{text_.substr(at, end - at)}});
    at = skip_space(text_, end);
    if (text_[at] == ',') at = skip_space(text_, at + 1);
  }
  return found;
}

std::vector<JsonValue> JsonValue::items() const {
  std::vector<JsonValue> found;
  if (kind() != JsonKind::array) return found;
  std::size_t at = skip_space(text_, 1);
  while (text_[at] != ']') {
    const std::size_t end = value_end(text_, at);
    found.push_back(JsonValue{text_.substr(at, end - at)});
    at = skip_space(text_, end);
    if (text_[at] == ',') at = skip_space(text_, at + 1);
  }
  return found;
}

std::optional<std::string> JsonValue::string() const {
  if (kind() != JsonKind::string) return std::nullopt;
  return unescape_json(text_);
}

std::optional<std::int64_t> JsonValue::integer() const {
  if (kind() != JsonKind::number) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  if (fault != std::errc{} || end != text_.data() + text_.size()) return std::nullopt;
  return value;
}

std::optional<double> JsonValue::number() const {
  if (kind() != JsonKind::number) return std::nullopt;
  double value = 0;
  const auto [end, fault] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  if (fault != std::errc{} || end != text_.data() + text_.size()) return std::nullopt;
  return value;
}

std::optional<bool> JsonValue::boolean() const {
  if (kind() != JsonKind::boolean) return std::nullopt;
  return text_ == "true";
}

Result<JsonValue> read_json(std::string_view text) {
  JsonScanner scanner(text);
  if (!scanner.whole())
    return Error{ErrorCode::invalid_json,
                 fmt::format("At byte {}: {}.", scanner.position(), scanner.fault())};
  std::size_t begin = skip_space(text, 0);
  std::size_t end = text.size();
  while (is_space(text[end - 1])) --end;
  return JsonValue{text.substr(begin, end - begin)};
}

}  // namespace quell::http
