// What strangers reply is read within bounds: a text nested 90,000 deep must not end the process,
// neither when it comes nor when a store already holds it.
#include <gmock/gmock.h>

#include "runtime/outbound/llm.hpp"
#include "tests/runtime/kinds/kind_of_tests.hpp"

namespace quell {
namespace {

using namespace test;
using testing::HasSubstr;

std::string nested(int depth) {
  const auto n = static_cast<std::size_t>(depth);
  return std::string(n, '[') + std::string(n, ']');
}

HttpReply json_reply(std::string body) {
  return HttpReply(200, {{"Content-Type", "application/json"}}, std::move(body));
}

TEST(HostileJson, AnHttpReplyNestedTooDeepIsKeptAsTextOnly) {
  TestJob job(standard("http"), R"({"url":"http://a.example/"})");
  job.answer(json_reply(nested(90'000)));
  const auto result = result_json(job);
  EXPECT_EQ(result["body"], nested(90'000));
  EXPECT_FALSE(result.contains("json"));
}

TEST(HostileJson, AnHttpReplyNestedAsDeepAsAllowedIsRead) {
  TestJob job(standard("http"), R"({"url":"http://a.example/"})");
  job.answer(json_reply(nested(64)));
  EXPECT_TRUE(result_json(job).contains("json"));
}

TEST(HostileJson, AProgramsLineNestedTooDeepIsPlainOutput) {
  TestJob job(standard("exec"), R"({"argv":["p"]})");
  job.piece(R"({"partial":)" + nested(20'000) + "}");
  const std::string line = nested(90'000) + "\n";
  job.answer(ExecReply(0, 0, line, ""));
  EXPECT_EQ(result_json(job)["out"], line);
  EXPECT_TRUE(job.partials().empty());
}

TEST(HostileJson, AStreamedChunkNestedTooDeepIsNoWordOfTheReply) {
  TestJob job(
      standard("llm"),
      R"({"base_url":"http://a.example","model":"m","messages":[{"role":"user","content":"x"}]})");
  job.head(HttpReply(200, {{"Content-Type", "text/event-stream"}}, ""));
  job.piece("data: {\"error\":" + nested(15'000) + "}\n\n");
  job.piece(
      "data: {\"choices\":[{\"delta\":{\"content\":\"fine\"},\"finish_reason\":\"stop\"}]}\n\n"
      "data: [DONE]\n\n");
  EXPECT_EQ(result_json(job)["text"], "fine");
}

TEST(HostileJson, AWholeLlmReplyNestedTooDeepFailsTheAttempt) {
  TestJob job(
      standard("llm"),
      R"({"base_url":"http://a.example","model":"m","messages":[{"role":"user","content":"x"}]})");
  job.head(json_reply(""));
  job.piece(R"({"error":)" + nested(90'000) + "}");
  job.answer(HttpReply(200, {}, ""));
  EXPECT_EQ(thrown_by(job).code(), "outbound-failed");
}

TEST(HostileJson, ArgsNestedTooDeepAreRefused) {
  EXPECT_THAT(objection("http", R"({"url":"http://a.example/","body":)" + nested(90'000) + "}"),
              HasSubstr("64"));
}

TEST(HostileJson, ARememberedStepNestedTooDeepFailsTheJobAndNotTheNode) {
  Registry registry;
  add_standard_kinds(registry);
  TestJob job(standard("workflow"), R"({"steps":[{"name":"a","kind":"noop"}]})");
  job.kinds(registry);
  job.remembered({{"a", R"({"result":)" + nested(90'000) + R"(,"used":null})"}});
  const JobError error = thrown_by(job);
  EXPECT_FALSE(error.retryable());
  EXPECT_THAT(error.detail(), HasSubstr("a"));
}

}  // namespace
}  // namespace quell
