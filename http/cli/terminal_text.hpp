// What a job, a provider or another user wrote must not move the cursor, rename the window or turn
// a line round on the terminal of who reads it.
#pragma once

#include <iosfwd>
#include <streambuf>
#include <string>

namespace quell::cli {

// Passes text on to `to`; what a terminal would act on is shown as `\u{9b}`. Lines and tabs stay.
class TerminalText : public std::streambuf {
 public:
  explicit TerminalText(std::streambuf* to) : to_(to) {}

 protected:
  int overflow(int c) override;
  int sync() override;

 private:
  bool pass_character();

  std::streambuf* to_;
  std::string character_;  // as much of it as has come
};

// From here on std::cout and std::cerr, where they lead to a terminal, go through the above.
void guard_terminal();

// Past the guard, for what we draw ourselves.
std::ostream& drawing();

}  // namespace quell::cli
