// What follows from one try to deliver: is it over, when is the next one, and is the endpoint still
// worth calling?
#pragma once

#include <optional>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/signing/webhook_signature.hpp"

namespace quell {

// A try that has ended, as the sender saw it.
struct DeliveryTry {
  std::optional<int> status = {};  // none: no reply came
  std::optional<Millis> retry_after = {};
  int tries_before = 0;
  Instant ended;
  bool has_endpoint = true;  // false: a job's own URL, which nobody can disable
};

// How an endpoint fares; stored with it.
struct EndpointHealth {
  bool enabled = true;
  std::optional<Instant> failing_since = {};
  bool operator==(const EndpointHealth&) const = default;
};

struct DeliveryStep {
  bool delivered = false;
  std::optional<Instant> retry_at = {};  // none: delivered, or given up
  EndpointHealth health;                 // from now on
  std::string disabled_because = {};     // not empty: this try switched the endpoint off
};

// `random` in [0, 1) spreads the retries; `patience` is how long an endpoint may fail without one
// success.
DeliveryStep after_delivery(const DeliveryTry& one, const EndpointHealth& health, Millis patience,
                            double random);

// A secret that signs until its time is over; the newest one has no end.
struct LivingSecret {
  WebhookSecret secret;
  std::optional<Instant> until = {};
};
std::vector<WebhookSecret> living(const std::vector<LivingSecret>& secrets, Instant now);
// The new one first, the one that signed until now for `overlap` longer, older ones no more.
std::vector<LivingSecret> rotated(const std::vector<LivingSecret>& secrets, WebhookSecret fresh,
                                  Instant now, Millis overlap);

}  // namespace quell
