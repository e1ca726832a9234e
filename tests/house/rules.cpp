#include "tests/house/rules.hpp"

#include <cstdio>
#include <cstdlib>

namespace quell::house {
namespace {

constexpr std::size_t most_lines_of_a_file = 500;
constexpr std::size_t most_columns = 100;

Faults files_fit_one_idea(const Source& source) {
  const auto lines = lines_of(source.text).size();
  if (lines <= most_lines_of_a_file) return {};
  return {{0, std::to_string(lines) + " lines: it is two ideas"}};
}

Faults lines_fit_the_screen(const Source& source) {
  Faults faults;
  std::size_t number = 0;
  for (const auto& line : lines_of(source.text)) {
    ++number;
    if (columns_of(line) > most_columns)
      faults.push_back({number, std::to_string(columns_of(line)) + " columns"});
  }
  return faults;
}

Faults headers_say_what_they_are_for(const Source& source) {
  if (!source.is_header()) return {};
  Faults faults;
  if (!source.text.starts_with("// ")) faults.push_back({1, "does not say what it is for"});
  if (source.text.find("#pragma once\n") == std::string::npos)
    faults.push_back({1, "has no #pragma once"});
  return faults;
}

Faults file_names_say_something(const Source& source) {
  static const std::regex empty_name(R"((^|[/_])(utils?|common|helpers?|managers?|misc)([/_.]|$))");
  std::smatch found;
  if (!std::regex_search(source.path, found, empty_name)) return {};
  return {{0, "'" + found[2].str() + "' says nothing: name the one thing that is in it"}};
}

enum class In { code, code_and_comments };
enum class As { whole_word, prefix };

struct BannedWord {
  const char* word;
  const char* instead;
  In in;
  As as;
  const char* where;  // only below this folder
  const char* except;
};

constexpr BannedWord banned_words[] = {
    {"TODO", "an issue says it better", In::code_and_comments, As::whole_word, "", ""},
    {"FIXME", "mend it", In::code_and_comments, As::whole_word, "", ""},
    {"XXX", "say what is wrong, or mend it", In::code_and_comments, As::whole_word, "", ""},
    {"/work/", "a path of one machine", In::code_and_comments, As::prefix, "", ""},
    {"std::format(", "this compiler has none: use fmt", In::code, As::prefix, "", ""},
    {"std::views::", "clang++ 14 does not compile it", In::code, As::prefix, "", ""},
    {"using namespace std;", "say where a name is from", In::code, As::prefix, "", ""},
    {"GTEST_SKIP", "a test that can be skipped proves nothing", In::code, As::whole_word, "", ""},
    {"DISABLED_", "a test that does not run proves nothing", In::code, As::prefix, "", ""},
    {"this_thread::sleep", "wait for the event", In::code, As::prefix, "tests/", ""},
    {"system_clock::now(", "take a Clock", In::code, As::prefix, "", "runtime/base/clock.cpp"},
    {"exit_reason::kill", "a stop is an own message", In::code, As::whole_word, "", ""},
    {"delayed_send(", "a timer is an Asio timer", In::code, As::prefix, "", ""},
};

// Where the word stands next, npos if nowhere.
std::size_t find_word(const std::string& text, const BannedWord& banned, std::size_t from) {
  const std::string word = banned.word;
  for (auto at = text.find(word, from); at != std::string::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    const bool starts = !is_word(word[0]) || at == 0 || !is_word(text[at - 1]);
    const bool ends = banned.as == As::prefix || end >= text.size() || !is_word(text[end]);
    if (starts && ends) return at;
  }
  return std::string::npos;
}

Faults words_have_their_replacement(const Source& source) {
  Faults faults;
  const auto code = only_code(source.text);
  const auto prose = without_literals(source.text);
  for (const BannedWord& banned : banned_words) {
    if (!source.path.starts_with(banned.where) || source.path == banned.except) continue;
    const auto& text = banned.in == In::code ? code : prose;
    for (auto at = find_word(text, banned, 0); at != std::string::npos;
         at = find_word(text, banned, at + 1)) {
      const auto before = text.begin() + static_cast<std::ptrdiff_t>(at);
      const auto line = static_cast<std::size_t>(1 + std::count(text.begin(), before, '\n'));
      faults.push_back({line, std::string(banned.word) + ": " + banned.instead});
    }
  }
  return faults;
}

Faults includes_are_spelt_from_the_root(const Source& source) {
  for (const auto& include : source.includes())
    if (include.starts_with("..")) return {{0, "includes " + include}};
  return {};
}

Faults awaits_are_safe_with_gcc_12(const Source& source) {
  if (source.path == "tests/house/coroutine_rule_test.cpp") return {};  // its examples are strings
  const auto fault = coroutine_fault(source.text);
  if (fault.empty()) return {};
  return {{0, fault}};
}

// What strangers send may be nested until a recursion ends the process.
Faults json_is_read_within_bounds(const Source& source) {
  static constexpr const char* homes[] = {
      "runtime/base/bounded_json.cpp", "runtime/base/bounded_ordered_json.cpp",
      "http/api/views/openapi.cpp",  // reads what was compiled in
  };
  static const std::regex layer("(runtime|storage|actors|http)/.*");
  static const std::regex parse(R"(\bjson::(parse|accept|sax_parse|from_\w+)\s*\()",
                                std::regex::icase);
  const auto is_home = [&](const char* home) { return source.path == home; };
  if (!std::regex_match(source.path, layer)) return {};
  if (std::any_of(std::begin(homes), std::end(homes), is_home)) return {};
  Faults faults;
  std::size_t number = 0;
  for (const auto& line : lines_of(only_code(source.text))) {
    ++number;
    if (std::regex_search(line, parse))
      faults.push_back({number, "a text becomes JSON in runtime/base/bounded_json.hpp only"});
  }
  return faults;
}

constexpr Rule all_rules[] = {
    {"files_fit_one_idea", files_fit_one_idea},
    {"functions_fit_a_screen", functions_fit_a_screen},
    {"lines_fit_the_screen", lines_fit_the_screen},
    {"headers_say_what_they_are_for", headers_say_what_they_are_for},
    {"file_names_say_something", file_names_say_something},
    {"words_have_their_replacement", words_have_their_replacement},
    {"includes_are_spelt_from_the_root", includes_are_spelt_from_the_root},
    {"includes_go_downwards", includes_go_downwards},
    {"libraries_stay_at_home", libraries_stay_at_home},
    {"awaits_are_safe_with_gcc_12", awaits_are_safe_with_gcc_12},
    {"json_is_read_within_bounds", json_is_read_within_bounds},
};

bool between(char32_t c, char32_t first, char32_t last) {
  return first <= c && c <= last;
}

// East Asian and emoji blocks that a terminal draws two columns wide.
bool is_wide(char32_t c) {
  return between(c, 0x1100, 0x115f) || between(c, 0x2e80, 0xa4cf) || between(c, 0xac00, 0xd7a3) ||
         between(c, 0xf900, 0xfaff) || between(c, 0xfe30, 0xfe6f) || between(c, 0xff00, 0xff60) ||
         between(c, 0xffe0, 0xffe6) || between(c, 0x1f300, 0x1faff);
}

}  // namespace

std::span<const Rule> rules() {
  return all_rules;
}

const Rule& rule(const std::string& name) {
  for (const Rule& candidate : all_rules)
    if (candidate.name == name) return candidate;
  std::fprintf(stderr, "no house rule is called %s\n", name.c_str());
  std::abort();
}

std::size_t columns_of(const std::string& line) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < line.size();) {
    const auto byte = static_cast<unsigned char>(line[at++]);
    const int more = byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    char32_t c = more == 0 ? byte : byte & (0x3fU >> more);
    for (int i = 0; i < more && at < line.size(); ++i)
      c = c << 6 | (static_cast<unsigned char>(line[at++]) & 0x3fU);
    if (between(c, 0x300, 0x36f) || between(c, 0x200b, 0x200d))
      continue;  // drawn on the one before
    columns += is_wide(c) ? 2 : 1;
  }
  return columns;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace quell::house
