#include <gmock/gmock.h>

#include "runtime/policy/retry_after.hpp"
#include "tests/runtime/kinds/kind_of_tests.hpp"

namespace quell {
namespace {

using namespace test;
using testing::HasSubstr;

const char* const least_http = R"({"url":"http://a.example/x?key=hidden"})";

TEST(HttpKind, AsksWhatItsArgsSay) {
  TestJob job(standard("http"),
              R"({"method":"PUT","url":"https://a.example/","headers":{"Accept":"text/plain"},
                  "body":"hello","timeout_s":1.5,"secret":"key","max_body_bytes":77})");
  const auto& request = job.asked<HttpRequest>();
  EXPECT_EQ(request.method(), "PUT");
  EXPECT_EQ(request.url(), "https://a.example/");
  EXPECT_EQ(request.headers(), (Headers{{"Accept", "text/plain"}}));
  EXPECT_EQ(request.body(), "hello");
  EXPECT_EQ(request.timeout(), Millis{1500});
  EXPECT_EQ(request.secret(), "key");
  EXPECT_EQ(request.max_body(), 77u);
}

TEST(HttpKind, SendsAJsonBodyAsJson) {
  TestJob job(standard("http"), R"({"url":"http://a.example/","body":{"a":[1]}})");
  const auto& request = job.asked<HttpRequest>();
  EXPECT_EQ(request.method(), "POST");
  EXPECT_EQ(request.body(), R"({"a":[1]})");
  EXPECT_EQ(HttpReply(0, request.headers(), {}).header("content-type"), "application/json");
}

TEST(HttpKind, GivesStatusHeadersAndBody) {
  TestJob job(standard("http"), least_http);
  job.answer(HttpReply(201, {{"X-A", "1"}, {"x-a", "2"}}, "h\xc3\xa9"));
  const nlohmann::json expected{{"status", 201},
                                {"headers", {{"x-a", "1, 2"}}},
                                {"body", "h\xc3\xa9"},
                                {"encoding", "utf-8"}};
  EXPECT_EQ(result_json(job), expected);
}

TEST(HttpKind, GivesABodyThatIsNoTextAsBase64) {
  TestJob job(standard("http"), least_http);
  job.answer(HttpReply(200, {{"X-Latin", "\xe9"}}, std::string("\xff\0\x01", 3)));
  const auto result = result_json(job);
  EXPECT_EQ(result["body"], "/wAB");
  EXPECT_EQ(result["encoding"], "base64");
  EXPECT_EQ(result["headers"]["x-latin"], "\xef\xbf\xbd");
}

TEST(HttpKind, ReadsAJsonBodyForThoseWhoReferToIt) {
  TestJob job(standard("http"), least_http);
  job.answer(HttpReply(200, {{"Content-Type", "application/problem+json"}}, R"({"n":[1,2]})"));
  EXPECT_EQ(result_json(job)["json"]["n"][1], 2);
}

struct Unwelcome {
  int status;
  bool retryable;
};
class HttpKindStatus : public testing::TestWithParam<Unwelcome> {};
TEST_P(HttpKindStatus, IsAnErrorOfItsKind) {
  TestJob job(standard("http"), least_http);
  job.answer(HttpReply(GetParam().status, {{"Retry-After", "7"}}, "be\ncause"));
  const JobError error = thrown_by(job);
  EXPECT_EQ(error.retryable(), GetParam().retryable);
  EXPECT_EQ(error.retry_after(),
            GetParam().retryable ? std::optional<Millis>(7'000) : std::nullopt);
  EXPECT_THAT(error.detail(), HasSubstr(std::to_string(GetParam().status)));
  EXPECT_THAT(error.detail(), HasSubstr("be cause"));
  EXPECT_THAT(error.detail(), testing::Not(HasSubstr("hidden")));
}
INSTANTIATE_TEST_SUITE_P(All, HttpKindStatus,
                         testing::Values(Unwelcome{400, false}, Unwelcome{401, false},
                                         Unwelcome{404, false}, Unwelcome{408, true},
                                         Unwelcome{425, true}, Unwelcome{429, true},
                                         Unwelcome{500, true}, Unwelcome{501, false},
                                         Unwelcome{502, true}, Unwelcome{503, true},
                                         Unwelcome{504, true}, Unwelcome{304, false}));

TEST(HttpKind, TakesARedirectAsTheReplyWhenToldNotToFollow) {
  TestJob job(standard("http"), R"({"url":"http://a.example/","follow_redirects":false})");
  job.answer(HttpReply(302, {{"Location", "/x"}}, ""));
  EXPECT_EQ(result_json(job)["status"], 302);
}

TEST(HttpKind, PassesTheFaultOfItsCallOn) {
  TestJob job(standard("http"), least_http);
  job.fail("refused-address", "loopback", false);
  EXPECT_FALSE(thrown_by(job).retryable());
}

TEST(HttpKind, SaysAtSubmitWhatIsWrong) {
  EXPECT_EQ(objection("http", least_http), "");
  EXPECT_EQ(objection("http", R"({"url":"http://a/","follow_redirects":3,"idle_timeout_s":5})"),
            "");
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "JSON object"},
      {"{", "JSON object"},
      {"{}", "args.url"},
      {R"({"url":7})", "args.url"},
      {R"({"url":"ftp://a/"})", "http://"},
      {R"({"url":"http://a/","headers":{"A":1}})", "args.headers.A"},
      {R"({"url":"http://a/","headers":[]})", "args.headers"},
      {R"({"url":"http://a/","timeout_s":0})", "args.timeout_s"},
      {R"({"url":"http://a/","timeout_s":"9"})", "args.timeout_s"},
      {R"({"url":"http://a/","max_body_bytes":99999999999})", "args.max_body_bytes"},
      {R"({"url":"http://a/","max_body_bytes":18446744073709551615})", "args.max_body_bytes"},
      {R"({"url":"http://a/","follow_redirects":21})", "args.follow_redirects"},
      {R"({"url":"http://a/","metod":"GET"})", "did you mean 'method'?"},
      {R"({"url":"http://a/","secret":"k","headers":{"authorization":"x"}})", "args.secret"},
  };
  for (const auto& [args, sentence] : cases)
    EXPECT_THAT(objection("http", args), HasSubstr(sentence)) << args;
}

TEST(HttpKind, LeavesNothingWhenDestroyedAnywhere) {
  const auto count = destroyed_at_each_suspension(standard("http"), least_http, [](TestJob& job) {
    job.answer(HttpReply(302, {{"Location", "/2"}}, "moved"));
    job.answer(HttpReply(200, {{"A", "b"}}, "body"));
    job.result();
  });
  ASSERT_TRUE(count.ok()) << count.error().detail;
  EXPECT_EQ(*count, 2);
}

TEST(RetryAfter, ReadsSecondsAndDates) {
  const Instant now = *parse_http_date("Fri, 21 Nov 2025 08:49:37 GMT");
  const auto wait = [&](Headers headers) { return retry_after(HttpReply(429, headers, ""), now); };
  EXPECT_EQ(wait({}), std::nullopt);
  EXPECT_EQ(wait({{"retry-after", "0"}}), Millis{0});
  EXPECT_EQ(wait({{"Retry-After", "120"}}), Millis{120'000});
  EXPECT_EQ(wait({{"Retry-After", "99999999999"}}), Millis{86'400'000});
  EXPECT_EQ(wait({{"Retry-After", "Fri, 21 Nov 2025 08:50:07 GMT"}}), Millis{30'000});
  EXPECT_EQ(wait({{"Retry-After", "Fri, 21 Nov 2025 08:00:00 GMT"}}), Millis{0});
  // The server's clock is a year behind: its own Date tells.
  EXPECT_EQ(wait({{"Retry-After", "Thu, 21 Nov 2024 00:00:09 GMT"},
                  {"Date", "Thu, 21 Nov 2024 00:00:00 GMT"}}),
            Millis{9'000});
  for (const char* text : {"soon", "-1", "1.5", "Fri, 31 Feb 2025 08:50:07 GMT", "Fri, 21 Nov"})
    EXPECT_EQ(wait({{"Retry-After", text}}), std::nullopt) << text;
}

}  // namespace
}  // namespace quell
