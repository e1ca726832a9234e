// A receiver must be able to tell our webhook from anyone else's and from an old one played again:
// Standard Webhooks, "v1," + base64 of HMAC-SHA256 over id.timestamp.body, one signature per
// secret, so that secrets rotate without a gap.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/base64.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"

namespace quell {

// Written "whsec_" + base64 of 24 to 64 random bytes.
class WebhookSecret {
 public:
  static WebhookSecret make();
  static Result<WebhookSecret> parse(std::string_view text);
  std::string text() const;
  std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  explicit WebhookSecret(Bytes bytes) : bytes_(std::move(bytes)) {}
  Bytes bytes_;
};

struct WebhookHeaders {
  std::string id;         // webhook-id: the receiver's idempotency key
  std::string timestamp;  // webhook-timestamp: seconds since 1970
  std::string signature;  // webhook-signature: signatures separated by spaces
};

// `id` holds no '.', or two different messages could be signed alike.
WebhookHeaders sign_webhook(std::string_view id, Instant at, std::string_view body,
                            std::span<const WebhookSecret> secrets);

// Good when any of the signatures fits any of the secrets and the timestamp is within the tolerance
// of now, both ways.
Result<void> verify_webhook(const WebhookHeaders& headers, std::string_view body,
                            std::span<const WebhookSecret> secrets, Instant now,
                            std::chrono::seconds tolerance = std::chrono::minutes{5});

// The wait behind the given failed try (1 is the first), or nothing when all are used up: 5 s, 5
// min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, each lengthened by up to a fifth; `random` in [0,
// 1). `retry_after` can only lengthen it.
std::optional<Millis> webhook_retry(int failed_try, double random,
                                    std::optional<Millis> retry_after = std::nullopt);

enum class WebhookVerdict : std::uint8_t { delivered, retry, slow_down, disable };

// 2xx alone is success; a redirect is a failure and never followed; 410 disables; 429, 502 and 504
// ask for less.
WebhookVerdict judge_webhook_reply(int http_status);

}  // namespace quell
