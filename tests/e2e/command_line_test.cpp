// The command line without a terminal: output, exit codes, questions that must not be asked.
#include "tests/e2e/running_server.hpp"

namespace quell::e2e {
namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

TEST(CommandLine, SubmitsGetsAndWaits) {
  RunningServer server;
  ProgramEnd end = server.run({"submit", "noop", "-q"});
  EXPECT_EQ(end.code, 0) << end.err;
  const std::string id = trimmed(end.out);
  EXPECT_EQ(id.size(), 36u);
  EXPECT_EQ(server.run({"wait", id, "--for", "10"}).code, 0);
  end = server.run({"get", id, "-o", "json"});
  EXPECT_EQ(Json::parse(end.out).at("status"), "succeeded");
  EXPECT_EQ(trimmed(server.run({"list", "-o", "id"}).out), id);
  EXPECT_EQ(server.run({"list", "--plain"}).out.find("noop\tsucceeded"), 37u);
  EXPECT_EQ(server.run({"submit", "noop", "--wait"}).code, 0);
}

TEST(CommandLine, TellsADeleteInOneLine) {
  RunningServer server;
  const std::string id = server.submit({{"kind", "sleep"}, {"args", {{"seconds", 600}}}});
  ASSERT_TRUE(server.reaches(id, "running"));
  ProgramEnd end = server.run({"delete", id, "--reason", "test", "--receipt", server.dir() + "/r"});
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(trimmed(end.err),
            "deleted 1 · killed 1 · dequeued 0 · slots freed 1 · already gone 0 · failed 0");
  EXPECT_TRUE(Json::parse(text_of(server.dir() + "/r")).contains("signatures"));
  end = server.run({"delete", id});
  EXPECT_EQ(end.code, 0) << "deleting twice is harmless";
  EXPECT_EQ(server.run({"get", id}).code, 3);
  EXPECT_EQ(server.run({"delete", "0198c2c0-0000-7000-8000-000000000001"}).code, 3);
  EXPECT_EQ(server.run({"delete", "not-an-id"}).code, 2);
}

TEST(CommandLine, NeverDeletesSeveralUnaskedWithoutATerminal) {
  RunningServer server;
  const std::string a = server.submit({{"kind", "noop"}, {"delay_s", 1000}});
  const std::string b = server.submit({{"kind", "noop"}, {"delay_s", 1000}});
  ProgramEnd end = server.run({"delete", a, b});
  EXPECT_EQ(end.code, 2);
  EXPECT_NE(end.err.find("--yes"), std::string::npos);
  EXPECT_EQ(server.run({"delete", a, b, "--confirm", "3"}).code, 2);
  EXPECT_EQ(server.ask("GET", "/api/v1/jobs/counts").body["counts"]["scheduled"], 2);
  EXPECT_EQ(server.run({"delete", a, b, "--dry-run"}).code, 0);
  EXPECT_EQ(server.ask("GET", "/api/v1/jobs/counts").body["counts"]["scheduled"], 2);
  const std::string ids = server.dir() + "/ids";
  std::ofstream(ids) << a << '\n' << b << '\n';
  end = server.run({"delete", "-", "--confirm", "2"}, ids);
  EXPECT_EQ(end.code, 0) << end.err;
  EXPECT_NE(end.err.find("deleted 2"), std::string::npos);
}

TEST(CommandLine, ExitsAsDocumented) {
  RunningServer server;
  EXPECT_EQ(server.run({"nonsense"}).code, 2);
  EXPECT_NE(server.run({"delet"}).err.find("quell delete"), std::string::npos);
  EXPECT_EQ(server.run({"submit", "nonsense"}).code, 2);
  EXPECT_EQ(server.run({"submit", "noop", "--args", "[]"}).code, 2);
  EXPECT_EQ(server.run({"get", "0198c2c0-0000-7000-8000-000000000001"}).code, 3);
  EXPECT_EQ(server.run({"list", "--url", "http://127.0.0.1:1"}).code, 7);
  std::ofstream(server.dir() + "/bad") << "quell_0000000000000000_" << std::string(64, '0');
  EXPECT_EQ(server.run({"list", "--token-file", server.dir() + "/bad"}).code, 4);
  const std::string id = server.submit({{"kind", "noop"}, {"delay_s", 1000}});
  EXPECT_EQ(server.run({"result", id}).code, 5);
  EXPECT_EQ(server.run({"wait", id, "--for", "0.2"}).code, 6);
  EXPECT_EQ(server.run({"cancel", id}).code, 0);
  EXPECT_EQ(server.run({"wait", id}).code, 1);
}

TEST(CommandLine, SteersQueuesAndPools) {
  RunningServer server;
  EXPECT_EQ(server.run({"queue", "pause", "default"}).code, 0);
  const std::string id = trimmed(server.run({"submit", "noop"}).out);
  EXPECT_EQ(server.run({"wait", id, "--for", "0.3"}).code, 6) << "a paused queue starts nothing";
  EXPECT_EQ(server.run({"queue", "resume", "default"}).code, 0);
  EXPECT_EQ(server.run({"wait", id, "--for", "10"}).code, 0);
  EXPECT_EQ(server.run({"pool", "set", "default=3"}).code, 0);
  EXPECT_EQ(server.run({"pool", "list", "--plain"}).out.substr(0, 10), "default\t3\t");
  EXPECT_EQ(server.run({"doctor"}).code, 0);
}

TEST(CommandLine, DemoHoldsItsClaims) {
  char pattern[] = "/tmp/quell-e2e-XXXXXX";
  const std::string dir = mkdtemp(pattern);
  const pid_t pid = start_program({"demo"}, dir);
  int status = 0;
  waitpid(pid, &status, 0);
  const std::string out = text_of(dir + "/out");
  EXPECT_EQ(WEXITSTATUS(status), 0) << out;
  EXPECT_NE(out.find("deleted 100 killed 20 dequeued 80 slots_freed 20\n"), std::string::npos);
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace quell::e2e
