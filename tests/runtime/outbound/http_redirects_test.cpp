#include "runtime/outbound/http_redirects.hpp"

#include <gtest/gtest.h>

#include "runtime/task/test_job.hpp"

namespace quell {
namespace {

std::string resolved(const std::string& base, const std::string& reference) {
  auto url = resolve_url(base, reference);
  return url ? *url : "refused: " + url.error().detail;
}

TEST(HttpRedirects, ResolvesEveryFormOfReference) {
  const std::string base = "http://a.example/b/c/d;p?q";
  const std::pair<const char*, const char*> cases[] = {
      {"http://o.example/x?y", "http://o.example/x?y"},
      {"HTTPS://o.example", "https://o.example/"},
      {"//o.example/g", "http://o.example/g"},
      {"/g", "http://a.example/g"},
      {"g", "http://a.example/b/c/g"},
      {"./g", "http://a.example/b/c/g"},
      {"g/", "http://a.example/b/c/g/"},
      {"?y", "http://a.example/b/c/d;p?y"},
      {"g?y#s", "http://a.example/b/c/g?y"},
      {"#s", "http://a.example/b/c/d;p?q"},
      {"", "http://a.example/b/c/d;p?q"},
      {".", "http://a.example/b/c/"},
      {"..", "http://a.example/b/"},
      {"../g", "http://a.example/b/g"},
      {"../../../g", "http://a.example/g"},
      {"/./g/../h", "http://a.example/h"},
      {"g;x=1/../y", "http://a.example/b/c/y"},
      {"g?y/../x", "http://a.example/b/c/g?y/../x"},
      {"  /g  ", "http://a.example/g"},
      {"/a b/\xc3\xa9", "http://a.example/a%20b/%C3%A9"},
  };
  for (const auto& [reference, url] : cases) EXPECT_EQ(resolved(base, reference), url) << reference;
  EXPECT_EQ(resolved("http://a.example", "g"), "http://a.example/g");
  EXPECT_EQ(resolved("http://a.example?q", "g"), "http://a.example/g");
}

TEST(HttpRedirects, RefusesWhatIsNoPlainHttpUrl) {
  for (const char* location :
       {"file:///etc/passwd", "javascript:1", "http:g", "http://", "http://u:p@x.example/",
        "//u@x.example/", "ftp://x.example/", "/a\nb", "http:\\\\x.example/", "/\\x.example"})
    EXPECT_FALSE(resolve_url("http://a.example/", location).ok()) << location;
}

TEST(HttpRedirects, TakesAnOriginByItsSchemeHostAndPort) {
  EXPECT_EQ(origin_of("http://A.example/x"), origin_of("HTTP://a.example:80/y"));
  EXPECT_EQ(origin_of("http://a.example:/"), "http://a.example:80");
  EXPECT_EQ(origin_of("https://a.example"), "https://a.example:443");
  EXPECT_EQ(origin_of("http://[::1]/"), "http://[::1]:80");
  EXPECT_NE(origin_of("http://a.example/"), origin_of("http://a.example:8080/"));
}

HttpRequest posting(const std::string& url) {
  HttpRequest request(url);
  request.method("POST").body("x").bearer_secret("key").timeout(Millis{5'000}).max_body(9);
  request.header("Authorization", "a").header("COOKIE", "b").header("X-Api-Key", "c");
  request.header("X-House-Pass", "d");  // no list of names could know it
  request.header("Content-Type", "text/plain").header("Accept", "*/*");
  return request;
}

bool has(const HttpRequest& request, const std::string& name) {
  return !HttpReply(0, request.headers(), {}).header(name).empty();
}

TEST(HttpRedirects, BecomesAGetWhereBrowsersDo) {
  for (int status : {301, 302, 303}) {
    const auto next = redirected(posting("http://a.example/"), status, "/n");
    ASSERT_TRUE(next.ok());
    EXPECT_EQ(next->method(), "GET");
    EXPECT_EQ(next->body(), "");
    EXPECT_FALSE(has(*next, "Content-Type"));
    EXPECT_TRUE(has(*next, "Accept"));
  }
  for (int status : {307, 308}) {
    const auto next = redirected(posting("http://a.example/"), status, "/n");
    ASSERT_TRUE(next.ok());
    EXPECT_EQ(next->method(), "POST");
    EXPECT_EQ(next->body(), "x");
    EXPECT_TRUE(has(*next, "Content-Type"));
  }
  HttpRequest put("http://a.example/");
  put.method("PUT").body("x");
  EXPECT_EQ(redirected(put, 302, "/n")->method(), "PUT");
  EXPECT_EQ(redirected(put, 303, "/n")->method(), "GET");
  HttpRequest head("http://a.example/");
  head.method("HEAD");
  EXPECT_EQ(redirected(head, 303, "/n")->method(), "HEAD");
}

TEST(HttpRedirects, TakesNoCredentialToAnotherOrigin) {
  const auto same = redirected(posting("http://a.example/"), 307, "http://A.EXAMPLE:80/n");
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->secret(), "key");
  EXPECT_TRUE(has(*same, "Authorization") && has(*same, "Cookie") && has(*same, "X-Api-Key") &&
              has(*same, "X-House-Pass"));
  for (const char* other : {"http://b.example/", "//b.example/", "http://a.example:81/",
                            "https://a.example/", "http://a.example.evil.example/"}) {
    const auto next = redirected(posting("http://a.example/"), 307, other);
    ASSERT_TRUE(next.ok());
    EXPECT_EQ(next->secret(), "") << other;
    EXPECT_FALSE(has(*next, "Authorization") || has(*next, "Cookie") || has(*next, "X-Api-Key"));
    EXPECT_FALSE(has(*next, "X-House-Pass"));
    EXPECT_TRUE(has(*next, "Accept"));
  }
}

TEST(HttpRedirects, KeepsTheLimitsAndCountsDown) {
  HttpRequest request("http://a.example/");
  request.timeout(Millis{5}).idle_timeout(Millis{4}).max_body(3).redirects(1);
  const auto next = redirected(request, 302, "/n");
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->timeout(), Millis{5});
  EXPECT_EQ(next->idle_timeout(), Millis{4});
  EXPECT_EQ(next->max_body(), 3u);
  EXPECT_EQ(next->redirects(), 0);
  EXPECT_FALSE(redirected(*next, 302, "/n").ok());
}

TEST(HttpRedirects, NeverLeadFromHttpsDownToHttp) {
  EXPECT_FALSE(redirected(HttpRequest("https://a.example/"), 302, "http://a.example/").ok());
  EXPECT_TRUE(redirected(HttpRequest("http://a.example/"), 302, "https://a.example/").ok());
}

Task fetch(JobContext job) {
  HttpRequest request("http://a.example/1");
  request.redirects(2);
  HttpReply reply = co_await job.http(request);
  co_return reply.body();
}

HttpReply moved(const std::string& location) {
  return HttpReply(302, {{"location", location}}, "");
}

TEST(HttpRedirects, MakeEachHopAnEffectOfItsOwn) {
  TestJob job(fetch);
  EXPECT_EQ(job.asked<HttpRequest>().url(), "http://a.example/1");
  job.answer(moved("/2"));
  EXPECT_EQ(job.asked<HttpRequest>().url(), "http://a.example/2");
  job.answer(moved("http://b.example/3"));
  EXPECT_EQ(job.asked<HttpRequest>().url(), "http://b.example/3");
  job.answer(HttpReply(200, {}, "there"));
  EXPECT_EQ(job.result(), "there");
  EXPECT_EQ(job.started(), 3);
}

TEST(HttpRedirects, EndTheAttemptWhenThereAreTooMany) {
  TestJob job(fetch);
  for (int i = 0; i < 3; ++i) job.answer(moved("/again"));
  try {
    job.result();
    FAIL() << "it followed a third one";
  } catch (const JobError& error) {
    EXPECT_EQ(error.code(), "outbound-failed");
    EXPECT_FALSE(error.retryable());
  }
}

}  // namespace
}  // namespace quell
