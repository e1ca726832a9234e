// docs/tour.md and docs/glossary.md point into the code: each word they name stands in the file
// they name.
#include <gtest/gtest.h>

#include "tests/house/tree.hpp"
#include "tests/places.hpp"

namespace quell::house {
namespace {

std::string text_of(const std::string& path) {
  return read_file(std::filesystem::path(places::sources()) / path);
}

// Every match of `rule` gives a file and a word in it, by the numbers of its groups.
int expect_words_stand(const std::string& page, const std::regex& rule, int file, int word) {
  const std::string text = text_of(page);
  int seen = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), rule), end; it != end; ++it, ++seen)
    EXPECT_NE(text_of((*it)[file]).find((*it)[word]), std::string::npos)
        << page << " looks for `" << (*it)[word] << "` in " << (*it)[file];
  return seen;
}

TEST(Walks, OfTheGlossaryEndAtTheCodeTheyName) {
  static const std::regex row(R"re(\n\| [a-z ]+ \| `([^`]+)` in `([^`]+)` \|)re");
  EXPECT_GE(expect_words_stand("docs/glossary.md", row, 2, 1), 25);
}

TEST(Walks, OfTheTourEndAtTheCodeTheyName) {
  static const std::regex stop(R"re(\n\d\. `([^`]+)`, at `([^`]+)`)re");
  EXPECT_EQ(expect_words_stand("docs/tour.md", stop, 1, 2), 8);
}

TEST(Walks, GoToFilesThatExist) {
  static const std::regex path(
      R"re(`((?:runtime|storage|actors|http|tests|docs|bench)/[\w/.-]*)`)re");
  for (const char* page : {"docs/tour.md", "docs/glossary.md", "docs/ARCHITECTURE.md", "README.md",
                           "CONTRIBUTING.md"}) {
    const std::string text = text_of(page);
    for (std::sregex_iterator it(text.begin(), text.end(), path), end; it != end; ++it)
      EXPECT_TRUE(std::filesystem::exists(places::sources() + "/" + (*it)[1].str()))
          << page << " names " << (*it)[1];
  }
}

}  // namespace
}  // namespace quell::house
