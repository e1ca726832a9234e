#include <gmock/gmock.h>

#include "runtime/outbound/llm.hpp"
#include "tests/runtime/kinds/kind_of_tests.hpp"

namespace quell {
namespace {

using namespace test;
using testing::HasSubstr;
using Json = nlohmann::json;

const char* const minimal = R"({"base_url":"https://llm.example/v1/","model":"small",
  "messages":[{"role":"user","content":"say hello, please"}],
  "prices":{"input":1000000,"output":2000000}})";

HttpReply stream_head() {
  return HttpReply(200, {{"Content-Type", "text/event-stream"}}, "");
}

std::string words(const std::string& text) {
  const Json chunk{{"model", "small-1"},
                   {"choices", {{{"index", 0}, {"delta", {{"content", text}}}}}}};
  return "data: " + chunk.dump() + "\n\n";
}

const std::string stop_reason =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const std::string usage_told =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}\n\n";
const std::string end_mark = "data: [DONE]\n\n";

std::string shown(const TestJob& job) {
  std::string text;
  for (const std::string& one : job.partials()) text += Json::parse(one)["text"];
  return text;
}

TEST(LlmKind, IsSilentForAsLongAsItsNodeSaysWhenItsArgsDoNot) {
  SettingValues settings;
  settings.llm_idle_timeout = std::chrono::seconds{9};
  TestJob job(standard("llm"), minimal);
  job.settings(settings);
  EXPECT_EQ(job.asked<StreamRequest>().http.idle_timeout(), std::chrono::seconds{9});
}

TEST(LlmKind, AsksWhatItsArgsSay) {
  TestJob job(standard("llm"), R"({"base_url":"http://llm.example/v1","model":"m","secret":"key",
    "messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text"}]}],
    "max_tokens":50,"temperature":0.5,"idle_timeout_s":7,"timeout_s":90,
    "extra":{"top_p":0.9},"headers":{"X-Org":"o"}})");
  const HttpRequest& request = job.asked<StreamRequest>().http;
  EXPECT_EQ(request.method(), "POST");
  EXPECT_EQ(request.url(), "http://llm.example/v1/chat/completions");
  EXPECT_EQ(request.secret(), "key");
  EXPECT_EQ(request.idle_timeout(), Millis{7'000});
  EXPECT_EQ(request.timeout(), Millis{90'000});
  EXPECT_EQ(HttpReply(0, request.headers(), "").header("x-org"), "o");
  EXPECT_EQ(HttpReply(0, request.headers(), "").header("authorization"), "");
  const Json body = Json::parse(request.body());
  EXPECT_EQ(body["model"], "m");
  EXPECT_EQ(body["messages"][0]["content"], "s");
  EXPECT_EQ(body["messages"][1]["content"][0]["type"], "text");
  EXPECT_EQ(body["max_tokens"], 50);
  EXPECT_EQ(body["temperature"], 0.5);
  EXPECT_EQ(body["top_p"], 0.9);
  EXPECT_EQ(body["stream"], true);
  EXPECT_EQ(body["stream_options"]["include_usage"], true);
}

TEST(LlmKind, WaitsAMinuteForAByteByDefault) {
  TestJob job(standard("llm"), minimal);
  EXPECT_EQ(job.asked<StreamRequest>().http.idle_timeout(), Millis{60'000});
}

TEST(LlmKind, MakesOneReplyOfManyPieces) {
  TestJob job(standard("llm"), minimal);
  job.head(stream_head());
  const std::string all =
      ": ping\n\n" + words("Hel") + words("lo \xc3\xa9") + stop_reason + usage_told + end_mark;
  for (const char c : all)
    if (!job.done()) job.piece(std::string(1, c));
  const Json result = result_json(job);
  EXPECT_EQ(result["text"], "Hello \xc3\xa9");
  EXPECT_EQ(result["model"], "small-1");
  EXPECT_EQ(result["finish_reason"], "stop");
  EXPECT_EQ(result["usage"]["input_tokens"], 9);
  EXPECT_EQ(result["usage"]["output_tokens"], 3);
  EXPECT_EQ(result["usage"]["estimated"], false);
  EXPECT_EQ(result["cost"], 9 + 2 * 3);
  EXPECT_EQ(shown(job), "Hello \xc3\xa9");
  const Json used = Json::parse(job.used());
  EXPECT_EQ(used["requests"], 1);
  EXPECT_EQ(used["output_tokens"], 3);
  EXPECT_EQ(used["cost"], 15);
}

TEST(LlmKind, ShowsManyTokensInFewPartialResults) {
  TestJob job(standard("llm"), minimal);
  job.head(stream_head());
  for (int i = 0; i < 1'000; ++i) job.piece(words("word "));
  job.piece(stop_reason + end_mark);
  EXPECT_EQ(shown(job).size(), 5'000u);
  EXPECT_EQ(result_json(job)["usage"]["output_tokens"], 1'000);
  // About one in 256 bytes; more only if this machine stands still for quarters of a second.
  EXPECT_LT(job.partials().size(), 200u);
}

TEST(LlmKind, HasToldWhatCameWhenItIsDestroyed) {
  TestJob job(standard("llm"), minimal);
  job.head(stream_head());
  for (int i = 0; i < 7; ++i) job.piece(words("tok "));
  job.destroy();
  EXPECT_EQ(shown(job), "tok tok tok tok tok tok tok ");
  const Json used = Json::parse(job.used());
  EXPECT_EQ(used["output_tokens"], 7);
  EXPECT_EQ(used["streamed_bytes"], 28);
  EXPECT_EQ(used["estimated"], true);
  EXPECT_GT(used["input_tokens"].get<int>(), 0);
  EXPECT_GT(used["cost"].get<double>(), 14.0);
  EXPECT_EQ(job.left_open(), 0);
}

TEST(LlmKind, CallsACutStreamAnErrorThatMayBeRetried) {
  TestJob job(standard("llm"), minimal);
  job.head(stream_head());
  job.piece(words("half a"));
  job.fail("outbound-failed", "connection reset");
  const JobError error = thrown_by(job);
  EXPECT_TRUE(error.retryable());
  EXPECT_THAT(error.detail(), HasSubstr("cut after 6 bytes of text (about 1 tokens)"));
  EXPECT_THAT(error.detail(), HasSubstr("connection reset"));
  EXPECT_EQ(shown(job), "half a");
}

TEST(LlmKind, CallsAnEndWithoutAWordACut) {
  TestJob job(standard("llm"), minimal);
  job.head(stream_head());
  job.piece(words("half a"));
  job.answer(HttpReply(200, {}, ""));
  EXPECT_THAT(thrown_by(job).detail(), HasSubstr("ended without a word"));
}

TEST(LlmKind, TakesAReplyThatLacksOnlyItsEndMark) {
  TestJob job(standard("llm"), minimal);
  job.head(stream_head());
  job.piece(words("all") + stop_reason);
  job.fail("outbound-failed", "connection reset");
  EXPECT_EQ(result_json(job)["text"], "all");
}

TEST(LlmKind, ComesBackWhenTheProviderSays) {
  TestJob job(standard("llm"), minimal);
  job.head(HttpReply(429, {{"Retry-After", "3"}}, ""));
  job.piece(R"({"error":{"message":"slow down"}})");
  job.answer(HttpReply(429, {}, ""));
  const JobError error = thrown_by(job);
  EXPECT_TRUE(error.retryable());
  EXPECT_EQ(error.retry_after(), Millis{3'000});
  EXPECT_THAT(error.detail(), HasSubstr("slow down"));
  EXPECT_EQ(job.used(), "");
}

TEST(LlmKind, DoesNotComeBackToAnEmptyAccountOrAWrongRequest) {
  for (int status : {429, 400, 401}) {
    TestJob job(standard("llm"), minimal);
    job.head(HttpReply(status, {}, ""));
    job.piece(R"({"error":{"message":"m","code":"insufficient_quota"}})");
    job.answer(HttpReply(status, {}, ""));
    EXPECT_FALSE(thrown_by(job).retryable()) << status;
  }
}

TEST(LlmKind, HearsAFaultInMidStream) {
  TestJob job(standard("llm"), minimal);
  job.head(stream_head());
  job.piece(words("a") + "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server\"}}\n\n");
  const JobError error = thrown_by(job);
  EXPECT_TRUE(error.retryable());
  EXPECT_THAT(error.detail(), HasSubstr("overloaded"));
}

TEST(LlmKind, TakesTheReplyOfAServerThatDoesNotStream) {
  TestJob job(standard("llm"), minimal);
  job.head(HttpReply(200, {{"Content-Type", "application/json"}}, ""));
  job.piece(R"({"choices":[{"message":{"content":"hi"},"finish_reason":"length"}],)");
  job.piece(R"("usage":{"prompt_tokens":1,"completion_tokens":2}})");
  job.answer(HttpReply(200, {}, ""));
  const Json result = result_json(job);
  EXPECT_EQ(result["text"], "hi");
  EXPECT_EQ(result["finish_reason"], "length");
  EXPECT_EQ(Json::parse(job.used())["output_tokens"], 2);
}

TEST(LlmKind, GathersToolCalls) {
  TestJob job(standard("llm"), minimal);
  job.head(stream_head());
  const auto call = [](const std::string& inside) {
    return "data: {\"choices\":[{\"delta\":{\"tool_calls\":[" + inside + "]}}]}\n\n";
  };
  job.piece(call(R"({"index":0,"id":"c1","function":{"name":"look","arguments":"{\"a\""}})"));
  job.piece(call(R"({"index":0,"function":{"arguments":":1}"}})"));
  job.piece("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n" + end_mark);
  const Json calls = result_json(job)["tool_calls"];
  EXPECT_EQ(calls[0]["id"], "c1");
  EXPECT_EQ(calls[0]["function"]["name"], "look");
  EXPECT_EQ(calls[0]["function"]["arguments"], R"({"a":1})");
}

TEST(LlmReply, IsTheSameAfterItWasRemembered) {
  LlmReply reply("m", "a \"text\"", "stop");
  LlmUsage usage;
  usage.input_tokens = 3;
  usage.output_tokens = 4;
  usage.estimated = false;
  reply.used(usage, 0.25).tool_calls(R"([{"id":"1"}])");
  const LlmReply again = LlmReply::from_json(reply.json());
  EXPECT_EQ(again.json(), reply.json());
  EXPECT_EQ(again.text(), "a \"text\"");
  EXPECT_EQ(again.cost(), 0.25);
  EXPECT_EQ(LlmReply::from_json(LlmReply("m", "", "").json()).cost(), std::nullopt);
}

Task two_calls(JobContext job) {
  LlmReply first = co_await job.llm(LlmRequest("m").user("one").secret("key"));
  LlmReply second = co_await job.llm(LlmRequest("m").user(first.text()));
  co_return second.json();
}

TEST(LlmKind, AddsUpWhatSeveralCallsOfAJobUsed) {
  TestJob job(two_calls);
  for (int i = 0; i < 2; ++i) {
    job.head(stream_head());
    job.piece(words("w") + stop_reason + usage_told + end_mark);
  }
  EXPECT_TRUE(job.done());
  const Json used = Json::parse(job.used());
  EXPECT_EQ(used["requests"], 2);
  EXPECT_EQ(used["input_tokens"], 18);
  EXPECT_EQ(used["output_tokens"], 6);
}

TEST(LlmKind, SaysAtSubmitWhatIsWrong) {
  EXPECT_EQ(objection("llm", minimal), "");
  const auto with = [](const char* change) {
    Json args = Json::parse(minimal);
    args.update(Json::parse(change));
    return args.dump();
  };
  const std::pair<std::string, const char*> cases[] = {
      {"{}", "args.model"},
      {with(R"({"base_url":"llm.example"})"), "args.base_url"},
      {with(R"({"messages":[]})"), "args.messages"},
      {with(R"({"messages":["hi"]})"), "args.messages"},
      {with(R"({"max_tokens":0})"), "args.max_tokens"},
      {with(R"({"temperature":11})"), "args.temperature"},
      {with(R"({"prices":{"input":1}})"), "args.prices"},
      {with(R"({"extra":[]})"), "args.extra"},
      {with(R"({"headers":{"authorization":"Bearer x"}})"), "args.secret"},
      {with(R"({"api_key":"x"})"), "args.api_key"},
  };
  for (const auto& [args, sentence] : cases)
    EXPECT_THAT(objection("llm", args), HasSubstr(sentence)) << args;
}

TEST(LlmKind, LeavesNothingWhenDestroyedAnywhere) {
  const auto count = destroyed_at_each_suspension(standard("llm"), minimal, [](TestJob& job) {
    job.head(stream_head());
    job.piece(words("a longer text than fits into a small string"));
    job.piece(words("more") + stop_reason);
    job.piece(usage_told);
    job.piece(end_mark);
    job.result();
  });
  ASSERT_TRUE(count.ok()) << count.error().detail;
  EXPECT_EQ(*count, 5);
  const auto refused = destroyed_at_each_suspension(standard("llm"), minimal, [](TestJob& job) {
    job.head(HttpReply(503, {}, ""));
    job.piece("out of order, come back later, or not at all");
    job.answer(HttpReply(503, {}, ""));
    thrown_by(job);
  });
  ASSERT_TRUE(refused.ok()) << refused.error().detail;
  EXPECT_EQ(*refused, 3);
}

}  // namespace
}  // namespace quell
