#include "tests/house/dead_code.hpp"

#include <cctype>
#include <map>

namespace quell::house {
namespace {

bool continues_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string word_at(const std::string& text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && continues_word(text[end])) ++end;
  return text.substr(at, end - at);
}

std::string header_of(const std::string& path) {
  return path.substr(0, path.size() - 4) + ".hpp";
}

void add_words_behind(const std::string& prefix, const std::string& code,
                      std::set<std::string>& words) {
  for (auto at = code.find(prefix); at != std::string::npos; at = code.find(prefix, at + 1))
    words.insert(word_at(code, at + prefix.size()));
}

// Where the member of the object begins that is named here; npos when it has none.
std::size_t member_behind(const std::string& code, std::size_t at) {
  if (code.compare(at, 2, "()") == 0) at += 2;
  if (code.compare(at, 1, ".") == 0) return at + 1;
  if (code.compare(at, 2, "->") == 0) return at + 2;
  return std::string::npos;
}

bool is_assigned(const std::string& code, std::size_t behind) {
  while (behind < code.size() && code[behind] == ' ') ++behind;
  return code.compare(behind, 1, "=") == 0 && code.compare(behind, 2, "==") != 0;
}

void add_members_read(const std::string& object, const std::string& code,
                      std::set<std::string>& words) {
  for (auto at = code.find(object); at != std::string::npos; at = code.find(object, at + 1)) {
    if (at > 0 && continues_word(code[at - 1])) continue;
    const auto member = member_behind(code, at + object.size());
    if (member == std::string::npos) continue;
    const std::string word = word_at(code, member);
    if (!is_assigned(code, member + word.size())) words.insert(word);
  }
}

}  // namespace

std::vector<std::string> dead_headers(const std::vector<Source>& product) {
  std::map<std::string, const Source*> by_path;
  for (const Source& source : product) by_path.emplace(source.path, &source);
  std::set<std::string> living;
  std::vector<const Source*> to_read;
  const auto live = [&](const std::string& path) {
    const auto found = by_path.find(path);
    if (found != by_path.end() && living.insert(path).second) to_read.push_back(found->second);
  };
  for (const Source& source : product)
    if (!source.is_header() && !by_path.contains(header_of(source.path))) live(source.path);
  while (!to_read.empty()) {
    const Source* source = to_read.back();
    to_read.pop_back();
    for (const std::string& include : source->includes()) live(include);
    if (source->is_header()) live(source->path.substr(0, source->path.size() - 4) + ".cpp");
  }
  std::vector<std::string> dead;
  for (const Source& source : product)
    if (source.is_header() && !living.contains(source.path)) dead.push_back(source.path);
  return dead;
}

std::vector<RowTable> row_tables() {
  return {
      {"runtime/spec/settings.def", "SETTING", 1, "settings"},
      {"runtime/spec/errors.def", "QUELL_ERROR", 0, "ErrorCode::"},
      {"runtime/spec/failpoints.def", "QUELL_FAILPOINT", 0, "Failpoint::"},
      {"runtime/spec/job_machine.def", "JOB_STATE", 0, "JobState::"},
      {"runtime/spec/job_machine.def", "JOB_BIRTH", 0, "JobEvent::"},
      {"runtime/spec/job_machine.def", "JOB_MOVE", 0, "JobEvent::"},
      {"runtime/spec/protocol_steps.def", "PROTOCOL_STEP", 0, "ProtocolStep::"},
      {"runtime/spec/delete_protocol.def", "DELETE_VERDICT", 0, "Verdict::"},
      {"runtime/spec/scopes.def", "TOKEN_SCOPE", 0, "Scope::"},
      {"actors/node/mutants.def", "QUELL_MUTANT", 0, "Mutant::"},
  };
}

std::vector<std::string> rows_of(const RowTable& table, const std::string& text) {
  std::vector<std::string> words;
  const std::string begin = "\n" + std::string(table.macro) + "(";
  for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    auto cell = at + begin.size();
    for (int i = 0; i < table.column; ++i) cell = text.find(',', cell) + 1;
    words.push_back(word_at(text, text.find_first_not_of(' ', cell)));
  }
  return words;
}

std::set<std::string> words_read(const RowTable& table, const std::vector<Source>& product) {
  std::set<std::string> words;
  const bool is_settings = std::string(table.reader) == "settings";
  for (const Source& source : product) {
    const std::string code = only_code(source.text);
    if (!is_settings) {
      add_words_behind(table.reader, code, words);
    } else if (!source.path.starts_with("runtime/settings/")) {  // there they are only carried
      for (const char* object : {"settings", "settings_", "values"})
        add_members_read(object, code, words);
    }
  }
  return words;
}

}  // namespace quell::house
