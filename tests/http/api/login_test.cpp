// Sessions of browsers: what a cookie is worth, for how long, and from which pages.
#include <algorithm>

#include "http/api/browser_sessions.hpp"
#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

using Json = nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const std::pair<std::string, std::string> own_page{"Sec-Fetch-Site", "same-origin"};

class LoginTest : public ApiServerTest {
 protected:
  explicit LoginTest(ApiSettings settings = {}) : ApiServerTest(std::move(settings)) {}
  static ApiSettings reached_by(bool tls, bool plain, std::string origin = {}) {
    ApiSettings settings;
    settings.over_tls = tls;
    settings.plain_logins = plain;
    settings.origin = std::move(origin);
    return settings;
  }

  Reply log_in(const std::string& token, HeaderList headers = {own_page}) {
    return ask_as("", "POST", "/api/v1/login", Json{{"token", token}}.dump(), std::move(headers));
  }
  // What a browser sends back of a Set-Cookie.
  static std::string cookie_of(const Reply& reply) {
    const std::string set = reply.headers.at("Set-Cookie");
    return set.substr(0, set.find(';'));
  }
  Reply with(const std::string& cookie, const std::string& method, const std::string& target,
             HeaderList headers = {own_page}) {
    headers.emplace_back("Cookie", cookie);
    return ask_as("", method, target, method == "GET" ? "" : R"({"kind":"noop"})",
                  std::move(headers));
  }
};

TEST_F(LoginTest, GivesACookieThatScriptsAndOtherSitesCannotUse) {
  const Reply reply = log_in(admin);
  ASSERT_EQ(reply.status, 200) << reply.text;
  const std::string set = reply.headers.at("Set-Cookie");
  EXPECT_EQ(set.substr(0, 6), "quell=");
  for (const char* part : {"; Path=/", "; HttpOnly", "; SameSite=Strict"})
    EXPECT_NE(set.find(part), std::string::npos) << set;
  EXPECT_EQ(set.find("Secure"), std::string::npos) << "browsers drop it over plain HTTP";
  EXPECT_EQ(set.find(admin.substr(23)), std::string::npos) << "the token itself";
  EXPECT_EQ(with(cookie_of(reply), "GET", "/api/v1/jobs").status, 200);
  EXPECT_EQ(with(cookie_of(reply), "POST", "/api/v1/jobs").status, 201);
  EXPECT_EQ(with(cookie_of(reply) + "0", "GET", "/api/v1/jobs").status, 401);
}

class TlsLoginTest : public LoginTest {
 protected:
  TlsLoginTest() : LoginTest(reached_by(true, true)) {}
};

TEST_F(TlsLoginTest, BindsTheCookieToThisHostAndToTls) {
  const std::string set = log_in(admin).headers.at("Set-Cookie");
  EXPECT_EQ(set.substr(0, 13), "__Host-quell=");
  EXPECT_NE(set.find("; Secure"), std::string::npos);
  EXPECT_EQ(set.find("Domain"), std::string::npos) << "__Host- allows none";
}

class FarLoginTest : public LoginTest {
 protected:
  FarLoginTest() : LoginTest(reached_by(false, false)) {}
};

TEST_F(FarLoginTest, TakesNoTokenOverPlainHttpFromElsewhere) {
  EXPECT_EQ(log_in(admin).status, 403);
}

TEST_F(LoginTest, LetsOnlyItsOwnPagesChangeThings) {
  const std::string cookie = cookie_of(log_in(admin));
  const std::vector<std::pair<HeaderList, int>> pages{
      {{own_page}, 201},
      {{{"Origin", "http://test"}}, 201},
      {{{"Origin", "HTTP://TEST"}}, 403},
      {{}, 403},
      {{{"Sec-Fetch-Site", "none"}}, 403},
      {{{"Sec-Fetch-Site", "same-site"}}, 403},
      {{{"Sec-Fetch-Site", "cross-site"}}, 403},
      {{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://test"}}, 403},
      {{{"Origin", "https://test"}}, 403},
      {{{"Origin", "http://test.evil.example"}}, 403},
      {{{"Origin", "http://evil.example"}}, 403},
      {{{"Origin", "null"}}, 403},
  };
  for (const auto& [headers, status] : pages) {
    const Reply reply = with(cookie, "POST", "/api/v1/jobs", headers);
    EXPECT_EQ(reply.status, status) << (headers.empty() ? "" : headers.front().second);
    if (status == 403) {
      EXPECT_EQ(reply.code(), "cross-site");
    }
    EXPECT_EQ(with(cookie, "GET", "/api/v1/jobs", headers).status, 200);
  }
  EXPECT_EQ(log_in(admin, {}).code(), "cross-site") << "nobody is logged in by another page";
  EXPECT_EQ(with(cookie, "POST", "/api/v1/logout", {}).code(), "cross-site");
}

class ProxiedLoginTest : public LoginTest {
 protected:
  ProxiedLoginTest() : LoginTest(reached_by(true, true, "https://quell.example")) {}
};

TEST_F(ProxiedLoginTest, KnowsItsOwnOriginBehindAProxy) {
  EXPECT_EQ(log_in(admin, {{"Origin", "https://quell.example"}}).status, 200);
  EXPECT_EQ(log_in(admin, {{"Origin", "https://test"}}).status, 403);
}

TEST_F(LoginTest, IsWorthWhatItsTokenIsWorth) {
  const std::string cookie = cookie_of(log_in(token("viewer")));
  EXPECT_EQ(with(cookie, "GET", "/api/v1/jobs").status, 200);
  EXPECT_EQ(with(cookie, "POST", "/api/v1/jobs").code(), "forbidden");
  const NewToken gone = make_token("g", "viewer", ScopeSet::of(Role::viewer), "", Instant{});
  api.auth().put(gone.record);
  const std::string second = cookie_of(log_in(gone.text));
  api.auth().remove(gone.record.id);
  EXPECT_EQ(with(second, "GET", "/api/v1/jobs").status, 401) << "the token was revoked";
}

TEST_F(LoginTest, DoesNotCountBesideAToken) {
  const std::string cookie = cookie_of(log_in(admin));
  const Reply reply = with(cookie, "GET", "/api/v1/jobs", {{"Authorization", "Bearer wrong"}});
  EXPECT_EQ(reply.status, 401);
}

TEST_F(LoginTest, EndsAtLogout) {
  const std::string cookie = cookie_of(log_in(admin));
  const Reply reply = ask_as("", "POST", "/api/v1/logout", "{}", {own_page, {"Cookie", cookie}});
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_NE(reply.headers.at("Set-Cookie").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(with(cookie, "GET", "/api/v1/jobs").status, 401);
  EXPECT_EQ(ask_as("", "POST", "/api/v1/logout", "{}", {own_page}).status, 200);
  std::vector<std::string> whats;
  const Reply audit = ask("GET", "/api/v1/audit");
  for (const Json& entry : audit.body["entries"]) whats.push_back(entry["what"]);
  EXPECT_EQ(std::count(whats.begin(), whats.end(), "session.opened"), 1);
  EXPECT_EQ(std::count(whats.begin(), whats.end(), "session.ended"), 1);
}

TEST_F(LoginTest, SlowsDownGuessingByAddress) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(log_in("quell_guess").status, 401);
  const Reply reply = log_in(admin);
  EXPECT_EQ(reply.status, 429) << "the eleventh try of a minute, even a right one";
  EXPECT_GT(std::stoi(reply.headers.at("Retry-After")), 0);
  EXPECT_EQ(ask("GET", "/api/v1/jobs").status, 200) << "tokens are not hindered";
}

TEST(BrowserSessions, FallIdleAndEndAtLast) {
  BrowserSessions sessions;
  BrowserSessions::Time now{};
  const std::string idle = sessions.open("t", now);
  const std::string busy = sessions.open("t", now);
  EXPECT_NE(idle, busy);
  EXPECT_EQ(idle.size(), 64u);
  now += minutes{30} - seconds{1};
  EXPECT_EQ(sessions.use(busy, now), "t");
  now += seconds{1};
  EXPECT_FALSE(sessions.use(idle, now)) << "idle for 30 minutes";
  EXPECT_EQ(sessions.count(now), 1u);
  for (now += minutes{29}; now < BrowserSessions::Time{} + hours{12}; now += minutes{29})
    EXPECT_EQ(sessions.use(busy, now), "t");
  now = BrowserSessions::Time{} + hours{12};
  EXPECT_FALSE(sessions.use(busy, now)) << "12 hours, however busy";
  EXPECT_FALSE(sessions.end(busy));
}

TEST(BrowserSessions, AreNeverMoreThanMemoryAllows) {
  BrowserSessions sessions;
  BrowserSessions::Time now{};
  const std::string first = sessions.open("t", now);
  now += seconds{1};
  std::string last;
  for (std::size_t i = 0; i < BrowserSessions::most; ++i) last = sessions.open("t", now);
  EXPECT_EQ(sessions.count(now), BrowserSessions::most);
  EXPECT_FALSE(sessions.use(first, now)) << "the longest idle one made room";
  EXPECT_TRUE(sessions.use(last, now));
}

// 46,000 names chosen to collide once held the loop for 12 s, and 24 callers 400 MiB.
TEST_F(LoginTest, TakesNoMoreThanAKibibyteOfWhoHasNotSaidWhoHeIs) {
  for (const auto& [method, target] : {std::pair{"POST", "/api/v1/login"},
                                       {"POST", "/api/v1/logout"},
                                       {"POST", "/api/v1/jobs"},
                                       {"POST", "/api/v1/jobs/bulk-submit"},
                                       {"DELETE", "/api/v1/jobs/bulk"},
                                       {"PUT", "/nowhere"}})
    EXPECT_EQ(ruling("", method, target).limit, 1024u) << target;
  EXPECT_TRUE(ruling("", "POST", "/api/v1/jobs/bulk-submit").is_of_a_stranger);
  const std::string viewer = token("viewer");
  EXPECT_TRUE(ruling(viewer, "POST", "/api/v1/jobs/bulk-submit").is_of_a_stranger);
  EXPECT_EQ(ruling(admin, "POST", "/api/v1/jobs/bulk-submit").limit, std::size_t{16} << 20);
  EXPECT_EQ(ruling(admin, "POST", "/api/v1/jobs").limit, std::size_t{1} << 20);
  EXPECT_FALSE(ruling(admin, "POST", "/api/v1/jobs").is_of_a_stranger);
}

TEST_F(LoginTest, ARequestWhoseBodyWasNotReadDoesNothing) {
  const std::string id = submit();
  Result<Head> head = read_head("DELETE /api/v1/jobs/" + id + " HTTP/1.1\r\nHost: test\r\n" +
                                    "Authorization: Bearer " + admin + "\r\n\r\n",
                                {});
  head->request.body_is_unread = true;
  auto answer = std::make_shared<Answer>();
  api.handle(std::move(head->request), answer);
  EXPECT_EQ(answer->given->status, 401);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + id).status, 200);
}

}  // namespace
}  // namespace quell::http
