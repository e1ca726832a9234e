#include <gtest/gtest.h>

#include "tests/house/tree.hpp"

namespace quell::house {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(House, HasNoFileOfMoreThanFiveHundredLines) {
  for (const auto& source : all_sources())
    EXPECT_LE(lines_of(source.text).size(), 500U) << source.path;
}

// The format puts a function of a namespace at column 0, and so its closing brace.
TEST(House, HasNoFunctionOfMoreThanSeventyLines) {
  const std::regex not_a_function(
      R"(^(namespace|class|struct|enum|union|extern|template|#|\}|constexpr std|inline constexpr|const ).*)");
  for (const auto& source : all_sources()) {
    if (source.path.starts_with("tests/") || source.path.starts_with("bench/")) continue;
    std::size_t open = 0, number = 0;
    for (const auto& line : lines_of(only_code(source.text))) {
      ++number;
      const bool at_column_0 = !line.empty() && !std::isspace(static_cast<unsigned char>(line[0]));
      if (line.find_last_not_of(' ') != std::string::npos &&
          line[line.find_last_not_of(' ')] == '{' && at_column_0)
        open = std::regex_match(line, not_a_function) ? 0 : number;
      if (open != 0 && line.starts_with("}")) {
        EXPECT_LE(number - open + 1, 70U) << source.path << ":" << open;
        open = 0;
      }
    }
  }
}

TEST(House, OpensEveryHeaderWithItsPurposeAndOneGuard) {
  for (const auto& source : all_sources()) {
    if (!source.is_header()) continue;
    EXPECT_TRUE(source.text.starts_with("// ")) << source.path << " does not say what it is for";
    EXPECT_NE(source.text.find("\n#pragma once\n"), std::string::npos) << source.path;
  }
}

TEST(House, HasNoNamesThatSayNothing) {
  const std::regex empty_name(R"((^|[/_])(utils?|common|helpers?|managers?|misc)([/_.]|$))");
  for (const auto& source : all_sources())
    EXPECT_FALSE(std::regex_search(source.path, empty_name)) << source.path;
}

TEST(House, UsesNoBannedWord) {
  const std::vector<std::pair<std::string, std::string>> banned = {
      {"TO"
       "DO",
       "an issue says it better"},
      {"FIX"
       "ME",
       "mend it"},
      {"std::form"
       "at(",
       "this compiler has none: use fmt"},
      {"std::vie"
       "ws::",
       "clang++ 14 does not compile them"},
      {"using namespace "
       "std;",
       "say where a name is from"},
      {"GTEST_"
       "SKIP",
       "a test that can be skipped proves nothing"},
      {"exit_reason::"
       "kill",
       "a stop is an own message, see the delete protocol"},
      {"delayed_"
       "send(",
       "a timer is an Asio timer"},
  };
  for (const auto& source : all_sources())
    for (const auto& [word, instead] : banned)
      EXPECT_EQ(source.text.find(word), std::string::npos)
          << source.path << " has " << word << ": " << instead;
}

}  // namespace
}  // namespace quell::house
