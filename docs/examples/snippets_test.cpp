// A guide shows only code that is compiled and run. Above each block of C++ or CMake in docs/guides
// stands `<!-- snippet: FILE NAME -->`; the block must be what stands in docs/examples/FILE between
// `// snippet: NAME` and `// end` (`#` in CMake). With QUELL_WRITE_SNIPPETS set, the guides are
// written anew. And every kind that is shown is destroyed by a test wherever it waits.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/places.hpp"

namespace {

const std::filesystem::path root = quell::places::sources();

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> snippet(const std::string& file, const std::string& name) {
  std::vector<std::string> inside;
  bool is_in = false, was_in = false;
  for (const std::string& line : lines_of(root / "docs/examples" / file)) {
    if (line == "// end" || line == "# end") is_in = false;
    if (is_in) inside.push_back(line);
    if (line == "// snippet: " + name || line == "# snippet: " + name) is_in = was_in = true;
  }
  EXPECT_TRUE(was_in) << file << " has no snippet " << name;
  return inside;
}

// The guide as it should be; `bare` counts the blocks of code that no marker stands above.
std::vector<std::string> with_snippets(const std::vector<std::string>& guide, int& bare) {
  std::vector<std::string> out;
  std::vector<std::string> wanted;
  bool marked = false, skipping = false;
  for (const std::string& line : guide) {
    if (line == "```" && skipping) skipping = false;
    if (skipping) continue;
    out.push_back(line);
    if (line.starts_with("<!-- snippet: ")) {
      std::istringstream words(line);
      std::string word, file, name;
      words >> word >> word >> file >> name;
      wanted = snippet(file, name);
      marked = true;
    } else if (line == "```cpp" || line == "```cmake") {
      if (!marked) ++bare;
      out.insert(out.end(), wanted.begin(), wanted.end());
      skipping = marked;
      marked = false;
      wanted.clear();
    }
  }
  return out;
}

TEST(Snippets, AreWhatIsCompiled) {
  int guides = 0, bare = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root / "docs/guides")) {
    if (entry.path().extension() != ".md") continue;
    ++guides;
    const auto guide = lines_of(entry.path());
    const auto wanted = with_snippets(guide, bare);
    if (std::getenv("QUELL_WRITE_SNIPPETS") != nullptr) {
      std::ofstream file(entry.path());
      for (const std::string& line : wanted) file << line << "\n";
    } else {
      EXPECT_EQ(guide, wanted) << entry.path() << ": set QUELL_WRITE_SNIPPETS=1 and run this again";
    }
  }
  EXPECT_GE(guides, 1);
  EXPECT_EQ(bare, 0) << "a block of code in a guide that nobody compiles";
}

std::string text_of(const std::filesystem::path& path) {
  std::string text;
  for (const std::string& line : lines_of(path)) text += line + "\n";
  return text;
}

TEST(Snippets, ShowNoKindThatIsNotDestroyedWhereverItWaits) {
  std::vector<std::string> shown;
  std::string tests;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs/examples")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = text_of(entry.path());
    if (text.find("destroyed_at_each_suspension(") != std::string::npos) tests += text;
    static const std::regex registered(R"re(registry\.add(<\w+>)?\("([\w-]+)")re");
    for (std::sregex_iterator at(text.begin(), text.end(), registered), end; at != end; ++at)
      shown.push_back((*at)[2]);
  }
  EXPECT_GE(shown.size(), 4u);
  for (const std::string& kind : shown)
    EXPECT_TRUE(std::regex_search(
        tests, std::regex("destroyed_at_each_suspension\\(\\s*kind\\(\"" + kind + "\"\\)")))
        << kind << " is in no test of destroyed_at_each_suspension";
}

}  // namespace
