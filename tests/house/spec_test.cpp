// The tables of runtime/spec: what a person reads of them is a sentence, and a code means one
// thing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/places.hpp"

namespace quell::house {
namespace {

struct Row {
  std::string name;
  std::string sentence;
};

std::vector<Row> rows() {
  return {
#define QUELL_ERROR(name, wire, status, exit, retryable, sentence) {"error " wire, sentence},
#include "runtime/spec/errors.def"
#undef QUELL_ERROR
#define SETTING(name, member, type, fallback, min, max, sentence) {"setting " #name, sentence},
#include "runtime/spec/settings.def"
#undef SETTING
  };
}

// What is wrong with a sentence that a person reads, "" if nothing.
std::string fault_of(const std::string& sentence) {
  if (sentence.size() < 10) return "too short to say what to do";
  if (!sentence.ends_with('.')) return "does not end in a full stop";
  if (sentence.find("  ") != std::string::npos) return "has two spaces";
  return {};
}

TEST(Spec, SaysEveryErrorAndSettingInASentence) {
  const auto all = rows();
  EXPECT_GT(all.size(), 60U);
  for (const Row& row : all) EXPECT_EQ(fault_of(row.sentence), "") << row.name;
}

TEST(Spec, KnowsASentenceFromANote) {
  for (const char* bad : {"", "Wait.", "wait for the lock", "Wait  for the lock."})
    EXPECT_NE(fault_of(bad), "") << bad;
}

TEST(Spec, GivesEveryErrorAndSettingANameOfItsOwn) {
  std::set<std::string> names;
  for (const Row& row : rows()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(Spec, SpellsErrorCodesInKebabCaseAndKeepsTheirStatusAFault) {
  struct Code {
    std::string wire;
    int status, exit;
  };
  for (const Code& code : std::vector<Code>{
#define QUELL_ERROR(name, wire, status, exit, retryable, sentence) {wire, status, exit},
#include "runtime/spec/errors.def"
#undef QUELL_ERROR
       }) {
    EXPECT_EQ(code.wire.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string::npos)
        << code.wire;
    EXPECT_TRUE(code.status >= 400 && code.status < 600) << code.wire;
    EXPECT_TRUE(code.exit >= 1 && code.exit <= 7) << code.wire;
  }
}

int emit(const std::string& words) {
  const std::string program = places::programs() + "/quell_emit";
  return std::system(("'" + program + "' " + words + " >/dev/null").c_str());
}

TEST(Spec, EmittedFilesAreCurrent) {
  const std::string program = places::programs() + "/quell_emit";
  EXPECT_EQ(
      std::system(("'" + program + "' --out '" + places::sources() + "' --check >&2").c_str()), 0)
      << "run quell_emit --out . in the project's root and commit what it writes";
}

TEST(Spec, AStaleOrMissingEmittedFileIsNoticed) {
  std::string name = (std::filesystem::temp_directory_path() / "quell-emit-XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  EXPECT_NE(emit("--check --out '" + name + "'"), 0);
  EXPECT_EQ(emit("--out '" + name + "'"), 0);
  EXPECT_EQ(emit("--check --out '" + name + "'"), 0);
  std::ofstream(name + "/docs/reference/errors.md", std::ios::app) << "by hand";
  EXPECT_NE(emit("--check --out '" + name + "'"), 0);
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace quell::house
