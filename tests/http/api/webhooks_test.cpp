// Webhook endpoints through the API: registered, shown, changed, rotated, kept apart by project.
#include "http/api/views/webhook_views.hpp"
#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

class Webhooks : public ApiServerTest {
 protected:
  nlohmann::json made(const std::string& body = R"({"url":"https://example.org/hook"})") {
    const Reply reply = ask("POST", "/api/v1/webhooks", body);
    EXPECT_EQ(reply.status, 201) << reply.text;
    return reply.body;
  }
};

TEST_F(Webhooks, TheSecretIsShownOnceAndAtRotation) {
  const auto one = made();
  const std::string path = "/api/v1/webhooks/" + one.at("webhook_id").get<std::string>();
  EXPECT_TRUE(one.at("secret").get<std::string>().starts_with("whsec_"));
  EXPECT_FALSE(ask("GET", path).body.contains("secret"));
  EXPECT_FALSE(ask("GET", "/api/v1/webhooks").body["webhooks"][0].contains("secret"));
  const Reply rotated = ask("POST", path + "/rotate-secret");
  EXPECT_NE(rotated.body.at("secret"), one.at("secret"));
  EXPECT_FALSE(rotated.body.at("old_secret_until").is_null());
}

TEST_F(Webhooks, WhatIsWrongIsRefusedWithItsPlace) {
  for (const char* body : {R"({})", R"({"url":"ftp://example.org"})",
                           R"({"url":"https://example.org","events":["x"]})",
                           R"({"url":"https://example.org","colour":"red"})"})
    EXPECT_EQ(ask("POST", "/api/v1/webhooks", body).status, 400) << body;
}

TEST_F(Webhooks, AreSwitchedOffAndOnAndRemoved) {
  const std::string path = "/api/v1/webhooks/" + made().at("webhook_id").get<std::string>();
  const Reply off = ask("PATCH", path, R"({"enabled":false})");
  EXPECT_EQ(off.body.at("enabled"), false);
  EXPECT_FALSE(off.body.at("disabled_because").is_null());
  EXPECT_EQ(ask("POST", path + "/test").status, 409);
  EXPECT_EQ(ask("PATCH", path, R"({"enabled":true,"events":["job.failed"]})").status, 200);
  EXPECT_EQ(ask("POST", path + "/test").status, 202);
  const Reply log = ask("GET", path + "/deliveries");
  ASSERT_EQ(log.body["deliveries"].size(), 1u);
  EXPECT_EQ(log.body["deliveries"][0]["event"], "webhook.test");
  EXPECT_EQ(ask("DELETE", path).status, 200);
  EXPECT_EQ(ask("GET", path).status, 404);
}

TEST_F(Webhooks, WhatWaitsIsNotSentAgain) {
  const std::string path = "/api/v1/webhooks/" + made().at("webhook_id").get<std::string>();
  const std::string id = ask("POST", path + "/test").body.at("delivery_id");
  EXPECT_EQ(ask("POST", "/api/v1/deliveries/" + id + "/redeliver").status, 409);
  const std::string other = id.substr(0, 35) + (id.back() == '0' ? "1" : "0");
  EXPECT_EQ(ask("POST", "/api/v1/deliveries/" + other + "/redeliver").status, 404);
}

TEST_F(Webhooks, AKnownHeadOfTheAuditLogMustBeWhole) {
  EXPECT_EQ(ask("GET", "/api/v1/audit/verify").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/audit/verify?known_no=3").status, 400);
  const Reply cut =
      ask("GET", "/api/v1/audit/verify?known_no=3&known_hash=" + std::string(64, '0'));
  EXPECT_EQ(cut.body.at("holds"), false);
  EXPECT_EQ(cut.body.at("fault"), "tail_cut");
}

}  // namespace
}  // namespace quell::http
