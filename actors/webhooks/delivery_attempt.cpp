#include "actors/webhooks/delivery_attempt.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/policy/retry_after.hpp"

namespace quell {

using nlohmann::json;

namespace {

// The body is ours: it says which project the job is of.
std::string project_in(const std::string& body) {
  const json parsed = json_of_ours(body);
  if (!parsed.is_object() || !parsed.contains("data")) return "default";
  return parsed["data"].value("project", "default");
}

}  // namespace

DeliveryTarget target_of(const storage::ClaimedDelivery& delivery, const EndpointRegistry& registry,
                         Instant now) {
  DeliveryTarget target;
  if (delivery.endpoint.empty()) {
    target.url = delivery.url;
    target.project = project_in(delivery.body);
    target.secrets.push_back(registry.own_secret(target.project));
    return target;
  }
  const auto endpoint = registry.find(delivery.endpoint);
  if (!endpoint) {
    target.unreachable = "the endpoint is not registered any more";
    return target;
  }
  target.url = endpoint->url;
  target.project = endpoint->project;
  target.health = endpoint->health;
  target.secrets = living(endpoint->secrets, now);
  if (!endpoint->health.enabled) target.unreachable = "the endpoint is disabled";
  return target;
}

StreamRequest delivery_request(const storage::ClaimedDelivery& delivery,
                               const DeliveryTarget& target, Instant now, Millis timeout) {
  const WebhookHeaders signature =
      sign_webhook(delivery.id.text(), now, delivery.body, target.secrets);
  HttpRequest request(target.url);
  request.method("POST");
  request.header("Content-Type", "application/json");
  request.header("User-Agent", "quell-webhooks");
  request.header("webhook-id", signature.id);
  request.header("webhook-timestamp", signature.timestamp);
  request.header("webhook-signature", signature.signature);
  request.body(delivery.body);
  request.timeout(timeout);
  request.idle_timeout(timeout);
  request.redirects(0);
  return StreamRequest{std::move(request)};
}

bool DeliveryAttempt::took_piece(const std::string& piece) {
  if (shown_.size() < shown_bytes) shown_ += piece.substr(0, shown_bytes - shown_.size());
  bytes_ += piece.size();
  return bytes_ > read_bytes;
}

DeliveryTry DeliveryAttempt::ended(const EffectAnswer& answer, Instant now) {
  DeliveryTry one;
  one.tries_before = delivery.tries;
  one.ended = now;
  one.has_endpoint = !delivery.endpoint.empty();
  if (const auto* reply = std::get_if<HttpReply>(&answer)) head_ = *reply;
  const auto* failure = std::get_if<EffectFailure>(&answer);
  // A reply of which more than enough was read is a reply; one that broke off is none.
  if (failure != nullptr && bytes_ <= read_bytes) {
    fault_ = failure->code + ": " + failure->detail;
    return one;
  }
  if (!head_) {
    fault_ = "no reply";
    return one;
  }
  status_ = one.status = head_->status();
  one.retry_after = retry_after(*head_, now);
  return one;
}

std::string DeliveryAttempt::log_line(Instant now, Millis at, const DeliveryStep& step) const {
  json line{{"at_ms", now.time_since_epoch().count()}, {"duration_ms", (at - began_).count()}};
  line["status"] = status_ ? json(*status_) : json(nullptr);
  if (!fault_.empty()) line["fault"] = fault_;
  if (status_) line["reply"] = shown_;
  if (!step.delivered && !step.retry_at) line["given_up"] = true;
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace quell
