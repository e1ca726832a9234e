#include "http/cli/terminal_text.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <utility>

namespace quell::cli {

namespace {

std::size_t length_by(unsigned char first) {
  if (first < 0xc0) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

char32_t code_of(const std::string& character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first;
  char32_t code = first & (0x7fU >> character.size());
  for (std::size_t i = 1; i < character.size(); ++i)
    code = code << 6 | (static_cast<unsigned char>(character[i]) & 0x3fU);
  return code;
}

bool within(char32_t c, char32_t first, char32_t last) {
  return first <= c && c <= last;
}

// C0 and C1 controls, and what changes the direction of writing. A lone byte above 0x7f is a C1
// control to a terminal that is not in UTF-8.
bool acts(char32_t c) {
  if (c == '\n' || c == '\t') return false;
  return c < 0x20 || within(c, 0x7f, 0x9f) || c == 0x061c || within(c, 0x200e, 0x200f) ||
         within(c, 0x2028, 0x202e) || within(c, 0x2066, 0x2069);
}

std::streambuf* unguarded = nullptr;

}  // namespace

bool TerminalText::pass_character() {
  const bool is_lone_byte =
      character_.size() == 1 && static_cast<unsigned char>(character_.front()) >= 0x80;
  const char32_t code = code_of(character_);
  const std::string shown = is_lone_byte || acts(code)
                                ? fmt::format("\\u{{{:x}}}", static_cast<unsigned>(code))
                                : character_;
  character_.clear();
  return to_->sputn(shown.data(), static_cast<std::streamsize>(shown.size())) ==
         static_cast<std::streamsize>(shown.size());
}

int TerminalText::overflow(int c) {
  if (c == traits_type::eof()) return 0;
  const auto byte = static_cast<unsigned char>(c);
  const bool goes_on = (byte & 0xc0) == 0x80;
  // A character that breaks off is shown byte by byte.
  while (!character_.empty() && !goes_on) {
    const std::string broken = std::exchange(character_, {});
    for (const char one : broken) {
      character_ = one;
      if (!pass_character()) return traits_type::eof();
    }
  }
  character_ += static_cast<char>(byte);
  if (character_.size() < length_by(static_cast<unsigned char>(character_.front()))) return c;
  return pass_character() ? c : traits_type::eof();
}

int TerminalText::sync() {
  return to_->pubsync();
}

void guard_terminal() {
  static TerminalText out(std::cout.rdbuf()), err(std::cerr.rdbuf());
  if (unguarded == nullptr) unguarded = std::cout.rdbuf();
  if (::isatty(STDOUT_FILENO) == 1) std::cout.rdbuf(&out);
  if (::isatty(STDERR_FILENO) == 1) std::cerr.rdbuf(&err);
}

std::ostream& drawing() {
  static std::ostream stream(unguarded == nullptr ? std::cout.rdbuf() : unguarded);
  return stream;
}

}  // namespace quell::cli
