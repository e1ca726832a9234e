#include <cctype>

#include "tests/house/tree.hpp"

namespace quell::house {
namespace {

// Where the literal or comment that starts at `at` ends (one past it); `at` itself if none starts
// there.
std::size_t end_of_prose(const std::string& text, std::size_t at) {
  const auto until = [&](const std::string& mark, std::size_t from) {
    const auto found = text.find(mark, from);
    return found == std::string::npos ? text.size() : found + mark.size();
  };
  if (text.compare(at, 2, "//") == 0) return std::min(text.find('\n', at), text.size());
  if (text.compare(at, 2, "/*") == 0) return until("*/", at + 2);
  const bool in_word = at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1]));
  if (text.compare(at, 2, "R\"") == 0 && !in_word) {
    const auto open = text.find('(', at);
    return until(")" + text.substr(at + 2, open - at - 2) + "\"", open);
  }
  if (text[at] == '"' || (text[at] == '\'' && !in_word)) {  // in a word: a digit separator
    std::size_t i = at + 1;
    while (i < text.size() && text[i] != text[at]) i += text[i] == '\\' ? 2 : 1;
    return std::min(i + 1, text.size());
  }
  return at;
}

}  // namespace

namespace {

std::string blanked(const std::string& text, bool comments_too) {
  std::string code = text;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = end_of_prose(text, at);
    const bool is_comment = text[at] == '/';
    for (std::size_t i = at; i < end && (comments_too || !is_comment); ++i)
      if (text[i] != '\n') code[i] = ' ';
    at = std::max(end, at + 1);
  }
  return code;
}

}  // namespace

std::string only_code(const std::string& text) {
  return blanked(text, true);
}

std::string without_literals(const std::string& text) {
  return blanked(text, false);
}

}  // namespace quell::house
