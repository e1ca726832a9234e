// What ends with a token, and which token nobody can take away.
#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

using std::chrono::hours;

class RevocationTest : public ApiServerTest {
 protected:
  static std::string id_of(const std::string& text) { return Token::parse(text)->id; }
  int revoke(const std::string& text) {
    return ask("DELETE", "/api/v1/tokens/" + id_of(text)).status;
  }
  std::string admin_that_ends(Instant at) {
    NewToken made = make_token("late", "admin", ScopeSet::of(Role::admin), "", api.now());
    made.record.expires = at;
    api.auth().put(made.record);
    return made.text;
  }
  std::shared_ptr<FakeSink> follow(const std::string& who) {
    return begin("GET", "/api/v1/events", "", {{"Authorization", "Bearer " + who}})->sink;
  }
};

TEST_F(RevocationTest, TheLastValidAdministratorStays) {
  admin_that_ends(api.now() - hours{1});
  EXPECT_EQ(revoke(admin), 409) << "whose token has expired lets nobody in";
  token("admin", "blue");
  EXPECT_EQ(revoke(admin), 409) << "an administrator of one project lets nobody into the others";
  token("admin");
  EXPECT_EQ(revoke(admin), 200);
}

TEST_F(RevocationTest, AnExpiredAdministratorCanAlwaysGo) {
  EXPECT_EQ(revoke(admin_that_ends(api.now() - hours{1})), 200);
}

TEST_F(RevocationTest, TwoRevocationsAtOnceCannotTakeBothAdministrators) {
  const std::string other = token("admin");
  EXPECT_TRUE(api.auth().begin_revoking(id_of(admin), api.now()));
  EXPECT_FALSE(api.auth().begin_revoking(id_of(other), api.now()));
  api.auth().give_up_revoking(id_of(admin));
  EXPECT_TRUE(api.auth().begin_revoking(id_of(other), api.now()));
}

TEST_F(RevocationTest, EndsTheTokensStreams) {
  const std::string other = token("viewer");
  const auto ends = follow(other), goes_on = follow(admin);
  ASSERT_TRUE(ends && ends->open);
  EXPECT_EQ(revoke(other), 200);
  EXPECT_FALSE(ends->open);
  EXPECT_TRUE(goes_on->open);
}

TEST_F(RevocationTest, EndsStreamsOfATokenThatAnotherNodeRevoked) {
  const std::string other = token("viewer");
  const auto ends = follow(other);
  api.auth().remove(id_of(other));
  for (auto due = std::exchange(loop.later, {}); !due.empty(); due.pop_front()) due.front()();
  EXPECT_FALSE(ends->open);
}

TEST_F(RevocationTest, EndsTheTokensSessions) {
  const std::string other = token("viewer");
  const Reply in = ask_as("", "POST", "/api/v1/login", R"({"token":")" + other + "\"}",
                          {{"Sec-Fetch-Site", "same-origin"}});
  ASSERT_EQ(in.status, 200) << in.text;
  EXPECT_EQ(revoke(other), 200);
  EXPECT_EQ(api.sessions().count(std::chrono::steady_clock::now()), 0u);
}

TEST_F(RevocationTest, HoldsTheLimitOfStreamsOfOneToken) {
  const std::string other = token("viewer");
  std::vector<std::shared_ptr<FakeSink>> open;
  for (int i = 0; i < 64; ++i) open.push_back(follow(other));
  EXPECT_TRUE(open.back() && open.back()->open);
  EXPECT_EQ(ask_as(other, "GET", "/api/v1/events").code(), "quota-exceeded");
  EXPECT_TRUE(follow(admin)->open);
}

}  // namespace
}  // namespace quell::http
