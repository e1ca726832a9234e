#include "runtime/signing/webhook_signature.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "runtime/base/digest.hpp"

namespace quell {
namespace {

using namespace std::chrono_literals;

const std::string id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const std::string body = R"({"test": 2432232314})";
const Instant signed_at{1614265330s};

std::vector<WebhookSecret> published() {
  return {WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value()};
}

// The vector that the Standard Webhooks libraries share.
TEST(WebhookSignature, MatchesThePublishedVector) {
  const WebhookHeaders headers = sign_webhook(id, signed_at, body, published());
  EXPECT_EQ(headers.id, id);
  EXPECT_EQ(headers.timestamp, "1614265330");
  EXPECT_EQ(headers.signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_TRUE(verify_webhook(headers, body, published(), signed_at));
}

TEST(WebhookSignature, AChangedBodyIdOrTimestampIsRefused) {
  const WebhookHeaders good = sign_webhook(id, signed_at, body, published());
  EXPECT_FALSE(verify_webhook(good, body + " ", published(), signed_at));
  EXPECT_FALSE(verify_webhook(good, "", published(), signed_at));
  WebhookHeaders forged = good;
  forged.id += "x";
  EXPECT_FALSE(verify_webhook(forged, body, published(), signed_at));
  forged = good;
  forged.timestamp = "1614265331";
  EXPECT_FALSE(verify_webhook(forged, body, published(), signed_at));
  forged = good;
  forged.signature[10] ^= 1;
  EXPECT_FALSE(verify_webhook(forged, body, published(), signed_at));
}

TEST(WebhookSignature, MalformedHeadersAreRefused) {
  const WebhookHeaders good = sign_webhook(id, signed_at, body, published());
  for (const char* stamp : {"", "x", "1614265330 ", "-", "1e9", "99999999999999999999",
                            "9223372036854775807", "-9223372036854775808"}) {
    WebhookHeaders bad = good;
    bad.timestamp = stamp;
    EXPECT_FALSE(verify_webhook(bad, body, published(), signed_at)) << stamp;
  }
  for (const char* signature :
       {"", " ", "v1", "v1,", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}) {
    WebhookHeaders bad = good;
    bad.signature = signature;
    EXPECT_FALSE(verify_webhook(bad, body, published(), signed_at)) << signature;
  }
  WebhookHeaders none = good;
  none.id.clear();
  EXPECT_FALSE(verify_webhook(none, body, published(), signed_at));
}

TEST(WebhookSignature, TheToleranceHoldsBothWays) {
  const WebhookHeaders headers = sign_webhook(id, signed_at, body, published());
  EXPECT_TRUE(verify_webhook(headers, body, published(), signed_at + 5min));
  EXPECT_FALSE(verify_webhook(headers, body, published(), signed_at + 5min + 1s));
  EXPECT_TRUE(verify_webhook(headers, body, published(), signed_at - 5min));
  EXPECT_FALSE(verify_webhook(headers, body, published(), signed_at - 5min - 1s));
  EXPECT_TRUE(verify_webhook(headers, body, published(), signed_at + 1h, 2h));
}

TEST(WebhookSignature, DuringARotationBothSecretsVerify) {
  const std::vector<WebhookSecret> both{WebhookSecret::make(), WebhookSecret::make()};
  const WebhookHeaders headers = sign_webhook(id, signed_at, body, both);
  EXPECT_NE(headers.signature.find(' '), std::string::npos);
  for (const WebhookSecret& one : both)
    EXPECT_TRUE(verify_webhook(headers, body, std::vector{one}, signed_at));
  EXPECT_FALSE(verify_webhook(headers, body, std::vector{WebhookSecret::make()}, signed_at));
  EXPECT_FALSE(verify_webhook(headers, body, {}, signed_at));
}

TEST(WebhookSignature, AHeaderFullOfSignaturesIsNotReadToItsEnd) {
  WebhookHeaders headers = sign_webhook(id, signed_at, body, published());
  const std::string good = headers.signature;
  headers.signature.clear();
  for (int i = 0; i < 15; ++i) headers.signature += "v1,xx ";
  headers.signature += good;
  EXPECT_TRUE(verify_webhook(headers, body, published(), signed_at));
  headers.signature = "v1,xx " + headers.signature;
  EXPECT_FALSE(verify_webhook(headers, body, published(), signed_at));
}

TEST(WebhookSignature, SecretsHave24To64BytesAndOneSpelling) {
  const WebhookSecret made = WebhookSecret::make();
  EXPECT_EQ(WebhookSecret::parse(made.text())->text(), made.text());
  EXPECT_NE(made.text(), WebhookSecret::make().text());
  for (const std::size_t size : {24u, 64u})
    EXPECT_TRUE(WebhookSecret::parse("whsec_" + base64(Bytes(size))));
  for (const std::size_t size : {0u, 23u, 65u})
    EXPECT_FALSE(WebhookSecret::parse("whsec_" + base64(Bytes(size))));
  for (const char* bad : {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!"})
    EXPECT_FALSE(WebhookSecret::parse(bad)) << bad;
}

TEST(WebhookSignatureDeathTest, AnIdWithADotIsOurFault) {
  EXPECT_DEATH(sign_webhook("a.b", signed_at, body, published()), "find");
}

TEST(WebhookRetry, TakesThreeDaysInAllAndThenEnds) {
  Millis sum{0};
  int tries = 1;
  while (const auto wait = webhook_retry(tries, 0.0)) {
    EXPECT_GT(*wait, 0ms);
    EXPECT_LE(*webhook_retry(tries, 0.999), *wait + *wait / 5);
    EXPECT_GE(*webhook_retry(tries, 0.999), *wait);
    sum += *wait;
    ++tries;
  }
  EXPECT_EQ(tries, 10);
  EXPECT_EQ(sum, Millis{5s} + 5min + 30min + 2h + 5h + 10h + 14h + 20h + 24h);
  EXPECT_FALSE(webhook_retry(std::numeric_limits<int>::max(), 0));
}

TEST(WebhookRetry, RetryAfterOnlyLengthensAndIsBounded) {
  EXPECT_EQ(*webhook_retry(1, 0, Millis{1s}), Millis{5s});
  EXPECT_EQ(*webhook_retry(1, 0, Millis{60s}), Millis{60s});
  EXPECT_EQ(*webhook_retry(1, 0, Millis::max()), Millis{24h});
}

TEST(WebhookReply, Only2xxIsSuccess) {
  for (int status = 0; status < 700; ++status) {
    const WebhookVerdict verdict = judge_webhook_reply(status);
    if (status >= 200 && status <= 299)
      EXPECT_EQ(verdict, WebhookVerdict::delivered);
    else if (status == 410)
      EXPECT_EQ(verdict, WebhookVerdict::disable);
    else if (status == 429 || status == 502 || status == 504)
      EXPECT_EQ(verdict, WebhookVerdict::slow_down);
    else
      EXPECT_EQ(verdict, WebhookVerdict::retry);
  }
}

}  // namespace
}  // namespace quell
