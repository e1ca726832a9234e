#include <gmock/gmock.h>

#include "tests/runtime/kinds/kind_of_tests.hpp"

namespace quell {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const char* const least_exec = R"({"argv":["tool","a b"]})";

TEST(ExecKind, AsksWhatItsArgsSay) {
  TestJob job(standard("exec"),
              R"({"argv":["tool","-x"],"env":{"A":"1"},"stdin":"in","cwd":"/tmp","timeout_s":2,
                  "memory_bytes":1000000,"cpu_s":3,"open_files":4,"processes":5})");
  const ExecRequest& request = job.asked<LinesRequest>().exec;
  EXPECT_THAT(request.argv(), ElementsAre("tool", "-x"));
  EXPECT_THAT(request.env(), ElementsAre(Pair("A", "1")));
  EXPECT_EQ(request.input(), "in");
  EXPECT_EQ(request.cwd(), "/tmp");
  EXPECT_EQ(request.timeout(), Millis{2000});
  EXPECT_EQ(request.limits().memory_bytes, 1'000'000u);
  EXPECT_EQ(request.limits().cpu_seconds, 3u);
  EXPECT_EQ(request.limits().open_files, 4u);
  EXPECT_EQ(request.limits().processes, 5u);
}

TEST(ExecKind, GivesJsonToTheProgramAsText) {
  TestJob job(standard("exec"), R"({"argv":["t"],"stdin":{"n":[1,"x"]}})");
  EXPECT_EQ(job.asked<LinesRequest>().exec.input(), "{\"n\":[1,\"x\"]}\n");
}

TEST(ExecKind, TurnsLinesIntoProgressAndPartialResults) {
  TestJob job(standard("exec"), least_exec);
  job.piece(R"({"progress":0.4,"phase":"reading"})");
  job.piece("just talk");
  job.piece("{not json}");
  job.piece(R"({"phase":"writing"})");
  job.piece(R"({"partial":{"page":1}})");
  job.piece(R"({"progress":"half"})");
  EXPECT_THAT(job.progressed(), ElementsAre(Pair(0.4, "reading"), Pair(0.0, "writing")));
  EXPECT_THAT(job.partials(), ElementsAre(R"({"page":1})"));
}

TEST(ExecKind, TakesTheLastJsonLineAsItsResult) {
  TestJob job(standard("exec"), least_exec);
  job.answer(ExecReply(0, 0, "[1]\n{\"a\":1}\r\n{\"progress\":1}\nbye\n", ""));
  EXPECT_EQ(job.result(), R"({"a":1})");
}

TEST(ExecKind, TakesAResultLongerThanALineOfTheStream) {
  const std::string line = "{\"a\":\"" + std::string(200'000, 'x') + "\"}";
  TestJob job(standard("exec"), least_exec);
  job.piece(line.substr(0, 65'536));
  job.answer(ExecReply(0, 0, "log\n" + line, ""));
  EXPECT_EQ(job.result(), line);
}

TEST(ExecKind, GivesItsOutputWhenThereIsNoJson) {
  TestJob job(standard("exec"), least_exec);
  job.answer(ExecReply(0, 0, "42\nhello \xff\n", "warn"));
  const nlohmann::json expected{{"code", 0}, {"out", "42\nhello \xef\xbf\xbd\n"}, {"err", "warn"}};
  EXPECT_EQ(result_json(job), expected);
}

TEST(ExecKind, FailsWithTheEndOfStandardError) {
  TestJob job(standard("exec"), least_exec);
  job.answer(ExecReply(3, 0, "{\"a\":1}\n", std::string(9'000, 'x') + "no such file\n"));
  const JobError error = thrown_by(job);
  EXPECT_EQ(error.code(), "program-failed");
  EXPECT_TRUE(error.retryable());
  EXPECT_THAT(error.detail(), HasSubstr("tool ended with exit code 3: x"));
  EXPECT_TRUE(error.detail().ends_with("no such file"));
  EXPECT_LT(error.detail().size(), 2'100u);
}

TEST(ExecKind, NamesTheSignalThatEndedIt) {
  TestJob job(standard("exec"), least_exec);
  job.answer(ExecReply(0, 11, "", ""));
  EXPECT_EQ(thrown_by(job).detail(), "tool was ended by signal 11");
}

TEST(ExecKind, PassesItsTimeoutOn) {
  TestJob job(standard("exec"), least_exec);
  job.fail("timeout", "stopped after 5 ms");
  EXPECT_EQ(thrown_by(job).code(), "timeout");
}

TEST(ExecKind, SaysAtSubmitWhatIsWrong) {
  EXPECT_EQ(objection("exec", least_exec), "");
  EXPECT_EQ(standard("exec").scope, "jobs:exec");
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "args.argv"},
      {R"({"argv":[]})", "args.argv"},
      {R"({"argv":"ls"})", "args.argv"},
      {R"({"argv":["ls",1]})", "args.argv"},
      {R"({"argv":[""]})", "args.argv"},
      {R"({"argv":["a\u0000b"]})", "zero byte"},
      {R"({"argv":["ls"],"env":{"A=B":"1"}})", "args.env"},
      {R"({"argv":["ls"],"env":{"":"1"}})", "args.env"},
      {R"({"argv":["ls"],"env":{"A":1}})", "args.env.A"},
      {R"({"argv":["ls"],"cwd":1})", "args.cwd"},
      {R"({"argv":["ls"],"memory_bytes":0})", "args.memory_bytes"},
      {R"({"argv":["ls"],"timout_s":1})", "did you mean 'timeout_s'?"},
  };
  for (const auto& [args, sentence] : cases)
    EXPECT_THAT(objection("exec", args), HasSubstr(sentence)) << args;
}

TEST(ExecKind, LeavesNothingWhenDestroyedAnywhere) {
  const auto count = destroyed_at_each_suspension(standard("exec"), least_exec, [](TestJob& job) {
    job.piece(R"({"progress":0.5,"phase":"half way through a long text"})");
    job.piece("a line that is longer than the small string buffer");
    job.answer(ExecReply(0, 0, "{\"ok\":true}\n", "some words"));
    job.result();
  });
  ASSERT_TRUE(count.ok()) << count.error().detail;
  EXPECT_EQ(*count, 3);
}

}  // namespace
}  // namespace quell
