// What strangers wrote is shown on a terminal and does nothing there.
#include "http/cli/terminal_text.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <sstream>

namespace quell::cli {
namespace {

std::string shown(const std::string& text) {
  std::stringbuf kept;
  TerminalText guard(&kept);
  std::ostream out(&guard);
  out << text << "|";
  return kept.str();
}

TEST(TerminalText, LetsWordsThroughAsTheyAre) {
  const std::string words = "naïve 日本語 😀\tcolumn\nline";
  EXPECT_EQ(shown(words), words + "|");
}

TEST(TerminalText, ShowsWhatATerminalWouldActOn) {
  EXPECT_EQ(shown("\x1b[31m"), "\\u{1b}[31m|");
  EXPECT_EQ(shown("\r\x07\x7f"), "\\u{d}\\u{7}\\u{7f}|");
  EXPECT_EQ(shown("\xc2\x9b"
                  "31m"),
            "\\u{9b}31m|")
      << "C1: the same as ESC [";
  EXPECT_EQ(shown("a\xe2\x80\xae"
                  "b"),
            "a\\u{202e}b|")
      << "writes on from right to left";
  EXPECT_EQ(shown("\xe2\x81\xa6\xd8\x9c"), "\\u{2066}\\u{61c}|");
}

TEST(TerminalText, ShowsBytesThatAreNoCharacter) {
  EXPECT_EQ(shown("\x9b"), "\\u{9b}|");
  EXPECT_EQ(shown("\xe2\x80"), "\\u{e2}\\u{80}|");
  EXPECT_EQ(shown("\xc3("), "\\u{c3}(|");
}

}  // namespace
}  // namespace quell::cli
