// The house's own sources as text, so that a test can hold them to the rules that no compiler
// knows.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/places.hpp"

namespace quell::house {

struct Source {
  std::string path;  // from the project's root, as #include spells it
  std::string text;

  std::string layer() const { return path.substr(0, path.find('/')); }
  bool is_header() const { return path.ends_with(".hpp"); }
  std::vector<std::string> includes() const {
    static const std::regex line(R"(^\s*#\s*include\s*[<"]([^">]+)[">])", std::regex::multiline);
    std::vector<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), line), end; it != end; ++it)
      found.push_back((*it)[1]);
    return found;
  }
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<Source> sources_of(const std::vector<std::string>& folders,
                                      const std::set<std::string>& endings = {".hpp", ".cpp"}) {
  const std::filesystem::path root = places::sources();
  std::vector<Source> found;
  for (const auto& folder : folders) {
    if (!std::filesystem::exists(root / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (!entry.is_regular_file() || !endings.contains(extension)) continue;
      if (entry.path().string().find("node_modules") != std::string::npos) continue;
      found.push_back({std::filesystem::relative(entry.path(), root), read_file(entry.path())});
    }
  }
  std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.path < b.path; });
  return found;
}

inline const std::vector<std::string>& layers() {
  static const std::vector<std::string> upwards = {"runtime", "storage", "actors", "http"};
  return upwards;
}

inline const std::vector<Source>& all_sources() {
  static const std::vector<Source> all =
      sources_of({"runtime", "storage", "actors", "http", "tests", "bench", "docs"});
  return all;
}

// The text with comments, strings and character literals blanked out (newlines stay), so that a
// rule about code does not trip over prose.
std::string only_code(const std::string& text);

// The text with strings and character literals blanked out, comments kept.
std::string without_literals(const std::string& text);

// The first fault of a statement with co_await in this text, "" if there is none; see
// coroutine_rule.cpp.
std::string coroutine_fault(const std::string& text);

inline bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace quell::house
