// Each rule over the whole tree, and each rule over a file made to break it.
#include "tests/house/rules.hpp"

#include <gtest/gtest.h>

namespace quell::house {
namespace {

class HouseRule : public testing::TestWithParam<Rule> {};

TEST_P(HouseRule, IsKeptByEverySource) {
  std::size_t read = 0;
  for (const auto& source : all_sources()) {
    ++read;
    for (const Fault& fault : GetParam().check(source))
      ADD_FAILURE() << source.path << ":" << fault.line << ": " << fault.what;
  }
  EXPECT_GT(read, 50U) << "the tree was not found";
}

INSTANTIATE_TEST_SUITE_P(Tree, HouseRule, testing::ValuesIn(rules().begin(), rules().end()),
                         [](const auto& of) { return std::string(of.param.name); });

struct Example {
  const char* rule;
  const char* path;
  std::string text;
};

std::string repeated(const std::string& line, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += line;
  return text;
}

std::string function_of(int lines) {
  return "namespace quell {\nvoid f(int a) {\n" + repeated("  g();\n", lines - 2) + "}\n}\n";
}

std::vector<Example> broken() {
  const std::string member = "class C {\n public:\n  int f() const noexcept {\n" +
                             repeated("    g();\n", 69) + "  }\n};\n";
  const std::string half_brace = "#define OPEN {\n" + function_of(71);
  return {
      {"files_fit_one_idea", "runtime/a.cpp", repeated("int a;\n", 501)},
      {"functions_fit_a_screen", "runtime/a.cpp", function_of(71)},
      {"functions_fit_a_screen", "runtime/a.hpp", member},
      {"functions_fit_a_screen", "runtime/a.cpp", half_brace},
      {"functions_fit_a_screen", "tests/a_test.cpp",
       "TEST(A, B) {\n" + repeated("  g();\n", 69) + "}\n"},
      {"lines_fit_the_screen", "runtime/a.cpp", "// " + repeated("é", 98) + "\n"},
      {"lines_fit_the_screen", "runtime/a.cpp", "// " + repeated("任", 49) + "\n"},
      {"headers_say_what_they_are_for", "runtime/a.hpp", "#pragma once\n"},
      {"headers_say_what_they_are_for", "runtime/a.hpp", "// What for.\n"},
      {"file_names_say_something", "actors/job_utils.cpp", ""},
      {"file_names_say_something", "http/common.hpp", ""},
      {"file_names_say_something", "http/helpers/a.hpp", ""},
      {"file_names_say_something", "storage/pool_manager.cpp", ""},
      {"words_have_their_replacement", "runtime/a.cpp", "int a;  // TODO: more\n"},
      {"words_have_their_replacement", "runtime/a.cpp", "/* FIXME */\n"},
      {"words_have_their_replacement", "runtime/a.cpp", "// XXX why?\n"},
      {"words_have_their_replacement", "runtime/a.cpp", "auto t = std::format(\"\");\n"},
      {"words_have_their_replacement", "runtime/a.cpp", "x | std::views::all;\n"},
      {"words_have_their_replacement", "runtime/a.cpp", "using namespace std;\n"},
      {"words_have_their_replacement", "tests/a.cpp", "GTEST_SKIP() << 1;\n"},
      {"words_have_their_replacement", "tests/a.cpp", "TEST(A, DISABLED_B) {}\n"},
      {"words_have_their_replacement", "tests/a.cpp", "std::this_thread::sleep_for(1s);\n"},
      {"words_have_their_replacement", "bench/a.cpp", "std::chrono::system_clock::now();\n"},
      {"words_have_their_replacement", "actors/a.cpp", "quit(exit_reason::kill);\n"},
      {"words_have_their_replacement", "actors/a.cpp", "delayed_send(self, 1s);\n"},
      {"json_is_read_within_bounds", "http/a.cpp", "auto a = Json::parse(text);\n"},
      {"json_is_read_within_bounds", "storage/a.cpp",
       "nlohmann::json::parse(t, nullptr, false);\n"},
      {"includes_are_spelt_from_the_root", "runtime/a.cpp", "#include \"../storage/store.hpp\"\n"},
      {"includes_go_downwards", "runtime/a.hpp", "#include \"storage/store.hpp\"\n"},
      {"includes_go_downwards", "storage/a.cpp", "#include \"actors/node/node.hpp\"\n"},
      {"includes_go_downwards", "actors/a.cpp", "  #  include \"http/server/server.hpp\"\n"},
      {"includes_go_downwards", "http/a.cpp", "#include \"tests/house/tree.hpp\"\n"},
      {"libraries_stay_at_home", "runtime/a.cpp", "#include <thread>\n"},
      {"libraries_stay_at_home", "runtime/a.cpp", "#include <sqlite3.h>\n"},
      {"libraries_stay_at_home", "runtime/a.cpp", "#include <boost/asio/io_context.hpp>\n"},
      {"libraries_stay_at_home", "storage/a.cpp", "#include <caf/actor.hpp>\n"},
      {"libraries_stay_at_home", "storage/a.cpp", "#include <boost/beast/core.hpp>\n"},
      {"libraries_stay_at_home", "storage/a.cpp", "#include <curl/curl.h>\n"},
      {"libraries_stay_at_home", "actors/a.cpp", "#include <pqxx/pqxx>\n"},
      {"libraries_stay_at_home", "actors/a.cpp", "#include <sqlite3.h>\n"},
      {"libraries_stay_at_home", "actors/a.cpp", "#include <boost/beast.hpp>\n"},
      {"libraries_stay_at_home", "actors/node/node.hpp", "#include <caf/all.hpp>\n"},
      {"libraries_stay_at_home", "http/a.cpp", "#include <caf/all.hpp>\n"},
      {"libraries_stay_at_home", "http/a.cpp", "#include <curl/curl.h>\n"},
      {"awaits_are_safe_with_gcc_12", "docs/examples/a.cpp", "void f() { co_await g({1}); }\n"},
  };
}

std::vector<Example> kept() {
  return {
      {"files_fit_one_idea", "runtime/a.cpp", repeated("int a;\n", 500)},
      {"functions_fit_a_screen", "runtime/a.cpp", function_of(70) + function_of(70)},
      {"functions_fit_a_screen", "runtime/a.cpp",
       "const char* t[] = {\n" + repeated("  \"}{\",\n", 90) + "};\n"},
      {"functions_fit_a_screen", "runtime/a.hpp",
       "struct S {\n" + repeated("  void f() { g(); }\n", 90) + "};\n"},
      {"lines_fit_the_screen", "runtime/a.cpp", "// " + repeated("é", 97) + "\n"},
      {"headers_say_what_they_are_for", "runtime/a.hpp", "// What for.\n#pragma once\n"},
      {"headers_say_what_they_are_for", "runtime/a.cpp", "int a;\n"},
      {"file_names_say_something", "http/commonly_asked.hpp", ""},
      {"words_have_their_replacement", "runtime/a.cpp", "auto p = \"quell-XXXXXX\"; // TODOS\n"},
      {"words_have_their_replacement", "runtime/base/clock.cpp", "system_clock::now();\n"},
      {"words_have_their_replacement", "bench/a.cpp", "steady_clock::now(); auto s = \"TODO\";\n"},
      {"includes_go_downwards", "http/a.cpp", "#include \"runtime/law/job.hpp\"\n"},
      {"includes_go_downwards", "tests/e2e/a.cpp", "#include \"http/server/server.hpp\"\n"},
      {"libraries_stay_at_home", "actors/effects/a.cpp", "#include <caf/all.hpp>\n"},
      {"libraries_stay_at_home", "actors/messages.hpp", "#include <caf/all.hpp>\n"},
      {"libraries_stay_at_home", "http/a.cpp", "#include <boost/beast.hpp>\n"},
      {"libraries_stay_at_home", "tests/storage/a.cpp", "#include <sqlite3.h>\n"},
      {"awaits_are_safe_with_gcc_12", "docs/examples/a.cpp", "void f() { co_await g(1); }\n"},
  };
}

TEST(HouseRules, BiteOnAFileMadeToBreakThem) {
  std::set<std::string> tried;
  for (const Example& bad : broken()) {
    EXPECT_FALSE(rule(bad.rule).check({bad.path, bad.text}).empty())
        << bad.rule << " lets through: " << bad.path << "\n"
        << bad.text.substr(0, 200);
    tried.insert(bad.rule);
  }
  EXPECT_EQ(tried.size(), rules().size()) << "a rule that was never seen to fail proves nothing";
}

TEST(HouseRules, LetThroughWhatOnlyLooksLikeAFault) {
  for (const Example& good : kept())
    for (const Fault& fault : rule(good.rule).check({good.path, good.text}))
      ADD_FAILURE() << good.rule << " refuses " << good.path << ": " << fault.what;
}

}  // namespace
}  // namespace quell::house
