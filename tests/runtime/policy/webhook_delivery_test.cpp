#include "runtime/policy/webhook_delivery.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

using namespace std::chrono_literals;

const Instant sent_at{1'700'000'000'000ms};
constexpr Millis patience{std::chrono::hours{120}};

DeliveryStep after(std::optional<int> status, int tries_before = 0, EndpointHealth health = {},
                   std::optional<Millis> retry_after = {}) {
  return after_delivery({status, retry_after, tries_before, sent_at}, health, patience, 0.0);
}

TEST(WebhookDelivery, ASuccessEndsItAndHealsTheEndpoint) {
  const DeliveryStep step = after(204, 3, {true, sent_at - 1h});
  EXPECT_TRUE(step.delivered);
  EXPECT_FALSE(step.retry_at);
  EXPECT_EQ(step.health, EndpointHealth{});
}

TEST(WebhookDelivery, AFailureIsTriedAgainAndRemembered) {
  for (const std::optional<int> status : {std::optional<int>{}, std::optional<int>{500},
                                          std::optional<int>{302}, std::optional<int>{429}}) {
    const DeliveryStep step = after(status);
    EXPECT_FALSE(step.delivered);
    EXPECT_EQ(step.retry_at, sent_at + 5s);
    EXPECT_EQ(step.health.failing_since, sent_at);
    EXPECT_TRUE(step.health.enabled);
  }
  EXPECT_EQ(after(500, 1).retry_at, sent_at + 5min);
  EXPECT_EQ(after(500, 0, {true, sent_at - 1h}).health.failing_since, sent_at - 1h);
}

TEST(WebhookDelivery, RetryAfterOnlyLengthensTheWait) {
  EXPECT_EQ(after(503, 0, {}, 1s).retry_at, sent_at + 5s);
  EXPECT_EQ(after(503, 0, {}, 60s).retry_at, sent_at + 60s);
}

TEST(WebhookDelivery, TheTableHasAnEnd) {
  EXPECT_TRUE(after(500, 8).retry_at);
  EXPECT_FALSE(after(500, 9).retry_at);
}

TEST(WebhookDelivery, GoneDisablesTheEndpointOnce) {
  const DeliveryStep step = after(410);
  EXPECT_FALSE(step.retry_at);
  EXPECT_FALSE(step.health.enabled);
  EXPECT_FALSE(step.disabled_because.empty());
  EXPECT_TRUE(after(410, 0, {false, sent_at}).disabled_because.empty());
}

TEST(WebhookDelivery, FiveDaysOfFailureDisableTheEndpoint) {
  EXPECT_TRUE(after(500, 2, {true, sent_at - patience + 1ms}).health.enabled);
  const DeliveryStep step = after(500, 2, {true, sent_at - patience});
  EXPECT_FALSE(step.health.enabled);
  EXPECT_FALSE(step.retry_at);
  EXPECT_FALSE(step.disabled_because.empty());
}

TEST(WebhookDelivery, AnOwnUrlIsGivenUpAndNeverDisabled) {
  const DeliveryStep gone = after_delivery({410, {}, 0, sent_at, false}, {}, patience, 0.0);
  EXPECT_FALSE(gone.retry_at);
  EXPECT_TRUE(gone.disabled_because.empty());
}

TEST(WebhookDelivery, BothSecretsSignForAsLongAsTheOverlap) {
  const WebhookSecret first = WebhookSecret::make(), second = WebhookSecret::make();
  const auto secrets = rotated({{first, {}}}, second, sent_at, Millis{24h});
  ASSERT_EQ(living(secrets, sent_at + 23h).size(), 2u);
  EXPECT_EQ(living(secrets, sent_at)[0].text(), second.text());
  EXPECT_EQ(living(secrets, sent_at)[1].text(), first.text());
  ASSERT_EQ(living(secrets, sent_at + 24h).size(), 1u);
  EXPECT_EQ(living(secrets, sent_at + 24h)[0].text(), second.text());
  EXPECT_EQ(rotated(secrets, WebhookSecret::make(), sent_at, Millis{24h}).size(), 2u);
  EXPECT_EQ(rotated(secrets, WebhookSecret::make(), sent_at, Millis{0}).size(), 1u);
}

}  // namespace
}  // namespace quell
