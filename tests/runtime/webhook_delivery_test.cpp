#include "runtime/webhook_delivery.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

using namespace std::chrono_literals;

const Instant now{1'700'000'000'000ms};
constexpr Millis patience{std::chrono::hours{120}};

DeliveryStep after(std::optional<int> status, int tries_before = 0, EndpointHealth health = {},
                   std::optional<Millis> retry_after = {}) {
  return after_delivery({status, retry_after, tries_before, now}, health, patience, 0.0);
}

TEST(WebhookDelivery, ASuccessEndsItAndHealsTheEndpoint) {
  const DeliveryStep step = after(204, 3, {true, now - 1h});
  EXPECT_TRUE(step.delivered);
  EXPECT_FALSE(step.retry_at);
  EXPECT_EQ(step.health, EndpointHealth{});
}

TEST(WebhookDelivery, AFailureIsTriedAgainAndRemembered) {
  for (const std::optional<int> status : {std::optional<int>{}, std::optional<int>{500},
                                          std::optional<int>{302}, std::optional<int>{429}}) {
    const DeliveryStep step = after(status);
    EXPECT_FALSE(step.delivered);
    EXPECT_EQ(step.retry_at, now + 5s);
    EXPECT_EQ(step.health.failing_since, now);
    EXPECT_TRUE(step.health.enabled);
  }
  EXPECT_EQ(after(500, 1).retry_at, now + 5min);
  EXPECT_EQ(after(500, 0, {true, now - 1h}).health.failing_since, now - 1h);
}

TEST(WebhookDelivery, RetryAfterOnlyLengthensTheWait) {
  EXPECT_EQ(after(503, 0, {}, 1s).retry_at, now + 5s);
  EXPECT_EQ(after(503, 0, {}, 60s).retry_at, now + 60s);
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
  EXPECT_TRUE(after(410, 0, {false, now}).disabled_because.empty());
}

TEST(WebhookDelivery, FiveDaysOfFailureDisableTheEndpoint) {
  EXPECT_TRUE(after(500, 2, {true, now - patience + 1ms}).health.enabled);
  const DeliveryStep step = after(500, 2, {true, now - patience});
  EXPECT_FALSE(step.health.enabled);
  EXPECT_FALSE(step.retry_at);
  EXPECT_FALSE(step.disabled_because.empty());
}

TEST(WebhookDelivery, AnOwnUrlIsGivenUpAndNeverDisabled) {
  const DeliveryStep gone = after_delivery({410, {}, 0, now, false}, {}, patience, 0.0);
  EXPECT_FALSE(gone.retry_at);
  EXPECT_TRUE(gone.disabled_because.empty());
}

TEST(WebhookDelivery, BothSecretsSignForAsLongAsTheOverlap) {
  const WebhookSecret first = WebhookSecret::make(), second = WebhookSecret::make();
  const auto secrets = rotated({{first, {}}}, second, now, Millis{24h});
  ASSERT_EQ(living(secrets, now + 23h).size(), 2u);
  EXPECT_EQ(living(secrets, now)[0].text(), second.text());
  EXPECT_EQ(living(secrets, now)[1].text(), first.text());
  ASSERT_EQ(living(secrets, now + 24h).size(), 1u);
  EXPECT_EQ(living(secrets, now + 24h)[0].text(), second.text());
  EXPECT_EQ(rotated(secrets, WebhookSecret::make(), now, Millis{24h}).size(), 2u);
  EXPECT_EQ(rotated(secrets, WebhookSecret::make(), now, Millis{0}).size(), 1u);
}

}  // namespace
}  // namespace quell
