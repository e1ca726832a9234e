// docs/reference/requirements.md promises a proof for each requirement: every id once, every named
// test in the tree.
#include <gtest/gtest.h>

#include <map>

#include "tests/house/tree.hpp"
#include "tests/places.hpp"

namespace quell::house {
namespace {

const std::map<char, int> ids_per_section = {{'A', 16}, {'B', 9}, {'C', 10}, {'D', 10}, {'E', 7}};

std::string page() {
  return read_file(std::filesystem::path(places::sources()) / "docs/reference/requirements.md");
}

TEST(Requirements, StandOnThePageOnceEach) {
  const std::string text = page();
  for (const auto& [section, count] : ids_per_section)
    for (int i = 1; i <= count; ++i) {
      const std::string row = "\n| " + std::string(1, section) + std::to_string(i) + " |";
      const auto first = text.find(row);
      EXPECT_NE(first, std::string::npos) << row;
      EXPECT_EQ(text.find(row, first + 1), std::string::npos) << row;
    }
}

TEST(Requirements, NameOnlyTestsThatExist) {
  std::set<std::string> known;
  static const std::regex test(R"(TEST(?:_F|_P)?\((\w+),\s*(\w+)\))"),
      python(R"(def (test_\w+)\()");
  for (const Source& source : sources_of({"tests"}))
    for (std::sregex_iterator it(source.text.begin(), source.text.end(), test), end; it != end;
         ++it)
      known.insert((*it)[1].str() + "." + (*it)[2].str());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           std::filesystem::path(places::sources()) / "tests")) {
    const std::string text = entry.path().extension() == ".py" ? read_file(entry.path()) : "";
    for (std::sregex_iterator it(text.begin(), text.end(), python), end; it != end; ++it)
      known.insert((*it)[1]);
  }
  const std::string text = page();
  static const std::regex named(R"(`(\w+\.[A-Z]\w+|test_\w+)`)");
  int seen = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), named), end; it != end; ++it, ++seen)
    EXPECT_TRUE(known.contains((*it)[1])) << (*it)[1] << " is named as a proof and does not exist";
  EXPECT_GT(seen, 40);
}

}  // namespace
}  // namespace quell::house
