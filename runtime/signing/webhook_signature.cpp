#include "runtime/signing/webhook_signature.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/base/assert.hpp"
#include "runtime/base/digest.hpp"

namespace quell {

namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::string_view version_prefix = "v1,";
constexpr std::size_t signatures_max =
    16;  // a header full of signatures must not cost a day of hashing

std::string signature(std::string_view id, std::string_view timestamp, std::string_view body,
                      const WebhookSecret& secret) {
  std::string signed_text;
  signed_text.reserve(id.size() + timestamp.size() + body.size() + 2);
  signed_text.append(id).append(".").append(timestamp).append(".").append(body);
  return std::string(version_prefix) + base64(hmac_sha256(secret.bytes(), signed_text));
}

Error malformed(std::string detail) {
  return Error{ErrorCode::unauthenticated, std::move(detail)};
}

}  // namespace

WebhookSecret WebhookSecret::make() {
  Bytes bytes(32);
  fill_random(bytes);
  return WebhookSecret(std::move(bytes));
}

Result<WebhookSecret> WebhookSecret::parse(std::string_view text) {
  if (!text.starts_with(secret_prefix))
    return Error{ErrorCode::invalid_field, "a webhook secret starts with whsec_"};
  auto bytes = from_base64(text.substr(secret_prefix.size()));
  if (!bytes || bytes->size() < 24 || bytes->size() > 64)
    return Error{ErrorCode::invalid_field,
                 "a webhook secret is whsec_ and base64 of 24 to 64 bytes"};
  return WebhookSecret(std::move(*bytes));
}

std::string WebhookSecret::text() const {
  return std::string(secret_prefix) + base64(bytes_);
}

WebhookHeaders sign_webhook(std::string_view id, Instant at, std::string_view body,
                            std::span<const WebhookSecret> secrets) {
  QUELL_ASSERT(!id.empty() && id.find('.') == std::string_view::npos);
  QUELL_ASSERT(!secrets.empty());
  WebhookHeaders headers;
  headers.id = id;
  headers.timestamp =
      std::to_string(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
  for (const WebhookSecret& secret : secrets) {
    if (!headers.signature.empty()) headers.signature += ' ';
    headers.signature += signature(id, headers.timestamp, body, secret);
  }
  return headers;
}

Result<void> verify_webhook(const WebhookHeaders& headers, std::string_view body,
                            std::span<const WebhookSecret> secrets, Instant now,
                            std::chrono::seconds tolerance) {
  std::int64_t seconds = 0;
  const std::string& stamp = headers.timestamp;
  const auto [end, error] = std::from_chars(stamp.data(), stamp.data() + stamp.size(), seconds);
  if (headers.id.empty() || stamp.empty() || error != std::errc{} ||
      end != stamp.data() + stamp.size())
    return malformed("webhook-id or webhook-timestamp is missing or malformed");
  const std::int64_t now_seconds =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  // Compared without subtracting: the timestamp is whatever the sender wrote.
  if (seconds < now_seconds - tolerance.count())
    return malformed("the webhook's timestamp is too old");
  if (seconds > now_seconds + tolerance.count())
    return malformed("the webhook's timestamp is in the future");
  std::string_view rest = headers.signature;
  for (std::size_t count = 0; !rest.empty() && count < signatures_max; ++count) {
    const std::size_t space = std::min(rest.find(' '), rest.size());
    const std::string_view given = rest.substr(0, space);
    rest.remove_prefix(std::min(space + 1, rest.size()));
    if (!given.starts_with(version_prefix)) continue;
    for (const WebhookSecret& secret : secrets)
      if (equal_in_constant_time(bytes_of(given),
                                 bytes_of(signature(headers.id, stamp, body, secret))))
        return {};
  }
  return malformed("no signature of the webhook is good");
}

std::optional<Millis> webhook_retry(int failed_try, double random,
                                    std::optional<Millis> retry_after) {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  constexpr std::array<Millis, 9> waits{seconds{5}, minutes{5}, minutes{30}, hours{2}, hours{5},
                                        hours{10},  hours{14},  hours{20},   hours{24}};
  QUELL_ASSERT(failed_try >= 1);
  QUELL_ASSERT(random >= 0.0 && random < 1.0);
  const auto at = static_cast<std::size_t>(failed_try - 1);
  if (at >= waits.size()) return std::nullopt;
  const auto plain = static_cast<double>(waits[at].count());
  const Millis spread{static_cast<std::int64_t>(plain * (1.0 + random / 5.0))};
  // A receiver cannot hold a delivery for ever: it dies with its job anyway, but its row should not
  // outlive a day.
  const Millis asked = std::min(retry_after.value_or(Millis{0}), Millis{hours{24}});
  return std::max(spread, asked);
}

WebhookVerdict judge_webhook_reply(int http_status) {
  if (http_status >= 200 && http_status < 300) return WebhookVerdict::delivered;
  if (http_status == 410) return WebhookVerdict::disable;
  if (http_status == 429 || http_status == 502 || http_status == 504)
    return WebhookVerdict::slow_down;
  return WebhookVerdict::retry;
}

}  // namespace quell
