// The house rules that one file can break on its own, each a function from a source to its faults,
// so that a test can show that the rule bites.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tests/house/tree.hpp"

namespace quell::house {

struct Fault {
  std::size_t line = 0;  // 0: the file as a whole
  std::string what;
};

using Faults = std::vector<Fault>;

struct Rule {
  const char* name;
  Faults (*check)(const Source&);
};

std::span<const Rule> rules();
const Rule& rule(const std::string& name);  // a name that is not there ends the test program

// How many columns a terminal needs for this line of UTF-8.
std::size_t columns_of(const std::string& line);

std::vector<std::string> lines_of(const std::string& text);

// One file may hold several; each is in the header that says what it is about.
Faults functions_fit_a_screen(const Source& source);
Faults includes_go_downwards(const Source& source);
Faults libraries_stay_at_home(const Source& source);

}  // namespace quell::house
