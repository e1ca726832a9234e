#include "runtime/policy/webhook_delivery.hpp"

#include "runtime/base/assert.hpp"

namespace quell {

DeliveryStep after_delivery(const DeliveryTry& one, const EndpointHealth& health, Millis patience,
                            double random) {
  DeliveryStep step;
  step.health = health;
  const WebhookVerdict verdict =
      one.status ? judge_webhook_reply(*one.status) : WebhookVerdict::retry;
  if (verdict == WebhookVerdict::delivered) {
    step.delivered = true;
    step.health.failing_since.reset();
    return step;
  }
  if (!step.health.failing_since) step.health.failing_since = one.ended;
  if (verdict == WebhookVerdict::disable) {
    step.health.enabled = false;
    if (one.has_endpoint && health.enabled)
      step.disabled_because = "the receiver answered 410 Gone";
    return step;
  }
  if (one.has_endpoint && one.ended - *step.health.failing_since >= patience) {
    step.health.enabled = false;
    if (health.enabled) step.disabled_because = "every delivery failed for too long";
    return step;
  }
  if (const auto wait = webhook_retry(one.tries_before + 1, random, one.retry_after))
    step.retry_at = one.ended + *wait;
  return step;
}

std::vector<WebhookSecret> living(const std::vector<LivingSecret>& secrets, Instant now) {
  std::vector<WebhookSecret> found;
  for (const LivingSecret& one : secrets)
    if (!one.until || *one.until > now) found.push_back(one.secret);
  QUELL_ASSERT(!found.empty());
  return found;
}

std::vector<LivingSecret> rotated(const std::vector<LivingSecret>& secrets, WebhookSecret fresh,
                                  Instant now, Millis overlap) {
  std::vector<LivingSecret> next{{std::move(fresh), std::nullopt}};
  for (const LivingSecret& one : secrets)
    if (!one.until && overlap > Millis{0}) next.push_back({one.secret, now + overlap});
  return next;
}

}  // namespace quell
