// Dead code fails: each rule over the tree, and each rule over an example that breaks it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/house/dead_code.hpp"

namespace quell::house {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What may be dead for now, and why. An exception that is reached again is one too many.
const std::map<std::string, std::string>& spared_headers() {
  static const std::map<std::string, std::string> spared = {
      {"runtime/law/trace_check.hpp", "the program check_traces is built on it"},
      {"runtime/task/test_job.hpp", "for who writes a kind and tests it"},
      {"runtime/task/typed_kind.hpp", "for who writes a kind with typed arguments"},
  };
  return spared;
}

const std::map<std::string, std::string>& spared_rows() {
  static const std::map<std::string, std::string> spared = {};
  return spared;
}

const std::vector<Source>& product() {
  static const std::vector<Source> all = sources_of(layers());
  return all;
}

std::string table_text(const RowTable& table) {
  return read_file(std::filesystem::path(places::sources()) / table.file);
}

// A row of scopes.def is also read by the route or the kind that asks for it, a row of settings.def
// by the rule whose line it is.
std::set<std::string> readers_of(const RowTable& table) {
  std::set<std::string> words = words_read(table, product());
  if (std::string(table.macro) == "SETTING") {
    const RowTable rules{"runtime/spec/anomaly_rules.def", "ANOMALY_RULE", 1, ""};
    for (const std::string& word : rows_of(rules, table_text(rules))) words.insert(word);
  }
  if (std::string(table.macro) != "TOKEN_SCOPE") return words;
  const RowTable routes{"http/api/routes.def", "HTTP_ROUTE", 3, ""};
  for (const std::string& word : rows_of(routes, table_text(routes))) words.insert(word);
  for (const Source& source : product())  // a kind says its scope as text
    if (source.text.find("kind.scope = \"jobs:exec\"") != std::string::npos)
      words.insert("jobs_exec");
  return words;
}

TEST(DeadCode, EveryHeaderIsReachedFromALivingSource) {
  const auto dead = dead_headers(product());
  for (const std::string& header : dead)
    EXPECT_TRUE(spared_headers().contains(header))
        << header << " is included by no living source: use it, or take it out";
  for (const auto& [header, why] : spared_headers())
    EXPECT_NE(std::find(dead.begin(), dead.end(), header), dead.end())
        << header << " is reached: take it off the list (" << why << ")";
}

TEST(DeadCode, EveryRowOfATableIsRead) {
  std::set<std::string> unread;
  for (const RowTable& table : row_tables()) {
    const auto rows = rows_of(table, table_text(table));
    EXPECT_FALSE(rows.empty()) << table.file << " has no " << table.macro;
    const auto read = readers_of(table);
    for (const std::string& row : rows) {
      if (read.contains(row)) continue;
      unread.insert(row);
      EXPECT_TRUE(spared_rows().contains(row))
          << table.file << ": nothing reads '" << row << "': wire it, or take the row out";
    }
  }
  for (const auto& [row, why] : spared_rows())
    EXPECT_TRUE(unread.contains(row)) << row << " is read: take it off the list (" << why << ")";
}

TEST(DeadCode, AHeaderThatOnlyItsOwnSourceIncludesIsDead) {
  const std::vector<Source> tree = {
      {"http/bin/main.cpp", "#include \"runtime/used.hpp\"\n"},
      {"runtime/used.hpp", ""},
      {"runtime/used.cpp", "#include \"runtime/used.hpp\"\n#include \"runtime/through.hpp\"\n"},
      {"runtime/through.hpp", ""},
      {"runtime/dead.hpp", "#include \"runtime/below.hpp\"\n"},
      {"runtime/dead.cpp", "#include \"runtime/dead.hpp\"\n"},
      {"runtime/below.hpp", ""},
  };
  EXPECT_THAT(dead_headers(tree), ElementsAre("runtime/dead.hpp", "runtime/below.hpp"));
}

TEST(DeadCode, ASettingIsReadWhereItsMemberIsTaken) {
  const RowTable table{"x.def", "SETTING", 1, "settings"};
  EXPECT_THAT(rows_of(table, "\nSETTING(beat_s,  beat, seconds, 5)\nSETTING(a, b, flag, true)\n"),
              ElementsAre("beat", "b"));
  const auto read = [&](const std::string& path, const std::string& code) {
    return words_read(table, {{path, code}});
  };
  EXPECT_THAT(read("actors/a.cpp", "if (context_->settings->beat == x) f(settings_.a);"),
              ElementsAre("a", "beat"));
  EXPECT_THAT(read("http/a.cpp", "f(api.settings().ids_max, values.listen);"),
              ElementsAre("ids_max", "listen"));
  EXPECT_THAT(read("http/a.cpp", "settings.beat = x;  // settings.lease\n"), IsEmpty());
  EXPECT_THAT(read("http/a.cpp", "my_settings.beat; row.beat; f(\"settings.beat\");"), IsEmpty());
  EXPECT_THAT(read("runtime/settings/a.cpp", "f(values.beat);"), IsEmpty());
}

TEST(DeadCode, ARowIsReadWhereItIsNamed) {
  const RowTable table{"x.def", "QUELL_ERROR", 0, "ErrorCode::"};
  EXPECT_THAT(words_read(table, {{"http/a.cpp", "Error{ErrorCode::usage}; // ErrorCode::x"}}),
              ElementsAre("usage"));
}

}  // namespace
}  // namespace quell::house
