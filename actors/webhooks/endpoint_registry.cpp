#include "actors/webhooks/endpoint_registry.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/assert.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"

namespace quell {

using nlohmann::json;

namespace {

constexpr const char* kind = "webhook";

json millis_or_null(const std::optional<Instant>& at) {
  return at ? json(at->time_since_epoch().count()) : json(nullptr);
}

std::optional<Instant> instant_of(const json& value) {
  if (!value.is_number()) return std::nullopt;
  return Instant{Millis{value.get<std::int64_t>()}};
}

std::string bound_name(const std::string& id) {
  return "webhook/" + id;
}

}  // namespace

EndpointRegistry::EndpointRegistry(SecretBox box)
    : box_(std::move(box)), subscriptions_(std::make_shared<SubscriptionSet>()) {}

storage::DocOp EndpointRegistry::sealed(const WebhookEndpoint& endpoint) const {
  json body{{"url", endpoint.url},
            {"description", endpoint.description},
            {"events", endpoint.events},
            {"enabled", endpoint.health.enabled},
            {"failing_since", millis_or_null(endpoint.health.failing_since)},
            {"disabled_because", endpoint.disabled_because},
            {"created", endpoint.created.time_since_epoch().count()},
            {"secrets", json::array()}};
  for (const LivingSecret& one : endpoint.secrets)
    body["secrets"].push_back(
        {{"sealed", base64(box_.seal(one.secret.text(), bound_name(endpoint.id)))},
         {"until", millis_or_null(one.until)}});
  storage::DocOp op;
  op.kind = kind;
  op.id = endpoint.id;
  op.project = endpoint.project;
  op.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  op.if_version = endpoint.version;
  return op;
}

storage::DocOp EndpointRegistry::removal(const std::string& id) {
  return {.kind = kind, .id = id, .body = std::nullopt};
}

Result<WebhookEndpoint> EndpointRegistry::opened(const storage::Doc& doc) const {
  const json body = json_of_ours(doc.body);
  QUELL_ASSERT(body.is_object());
  WebhookEndpoint endpoint;
  endpoint.id = doc.id;
  endpoint.project = doc.project;
  endpoint.version = doc.version;
  endpoint.url = body.at("url").get<std::string>();
  endpoint.description = body.at("description").get<std::string>();
  endpoint.events = body.at("events").get<std::vector<std::string>>();
  endpoint.health.enabled = body.at("enabled").get<bool>();
  endpoint.health.failing_since = instant_of(body.at("failing_since"));
  endpoint.disabled_because = body.at("disabled_because").get<std::string>();
  endpoint.created = instant_of(body.at("created")).value_or(Instant{});
  for (const json& one : body.at("secrets")) {
    const auto sealed = from_base64(one.at("sealed").get<std::string>());
    if (!sealed) return Error{ErrorCode::store_corrupt, "the sealed secret of webhook " + doc.id};
    auto text = box_.open(*sealed, bound_name(doc.id));
    if (!text) return text.error();
    auto secret = WebhookSecret::parse(*text);
    if (!secret) return secret.error();
    endpoint.secrets.push_back({std::move(secret).value(), instant_of(one.at("until"))});
  }
  return endpoint;
}

Result<void> EndpointRegistry::load(storage::Reader& reader) {
  auto docs = reader.docs(kind, "");
  if (!docs) return docs.error();
  {
    const std::lock_guard lock(mutex_);
    bool same = docs->size() == endpoints_.size();
    for (const storage::Doc& doc : *docs) {
      const auto known = endpoints_.find(doc.id);
      same = same && known != endpoints_.end() && known->second.version == doc.version;
    }
    if (same) return {};
  }
  std::map<std::string, WebhookEndpoint> fresh;
  for (const storage::Doc& doc : *docs) {
    auto endpoint = opened(doc);
    if (!endpoint) return endpoint.error();
    fresh[doc.id] = std::move(endpoint).value();
  }
  const std::lock_guard lock(mutex_);
  endpoints_.swap(fresh);
  count_listeners();
  return {};
}

void EndpointRegistry::put(WebhookEndpoint endpoint) {
  const std::lock_guard lock(mutex_);
  endpoints_[endpoint.id] = std::move(endpoint);
  count_listeners();
}

void EndpointRegistry::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  endpoints_.erase(id);
  count_listeners();
}

void EndpointRegistry::count_listeners() {
  std::vector<WebhookSubscription> all;
  for (const auto& [id, endpoint] : endpoints_)
    if (endpoint.health.enabled) all.push_back({id, endpoint.project, endpoint.events});
  const std::uint64_t version = subscriptions_->version() + 1;
  subscriptions_ = std::make_shared<SubscriptionSet>(std::move(all), version);
}

std::optional<WebhookEndpoint> EndpointRegistry::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto at = endpoints_.find(id);
  return at == endpoints_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<WebhookEndpoint> EndpointRegistry::list(const std::string& project) const {
  const std::lock_guard lock(mutex_);
  std::vector<WebhookEndpoint> all;
  for (const auto& [id, endpoint] : endpoints_)
    if (project.empty() || endpoint.project == project) all.push_back(endpoint);
  return all;
}

std::shared_ptr<const SubscriptionSet> EndpointRegistry::subscriptions() const {
  const std::lock_guard lock(mutex_);
  return subscriptions_;
}

std::string EndpointRegistry::key_for(std::string_view purpose) const {
  const auto key = box_.derive("key for " + std::string(purpose));
  return {key.begin(), key.end()};
}

WebhookSecret EndpointRegistry::own_secret(const std::string& project) const {
  const auto key = box_.derive("webhook of jobs/" + project);
  auto secret = WebhookSecret::parse("whsec_" + base64(Bytes(key.begin(), key.end())));
  QUELL_ASSERT(secret.ok());
  return std::move(secret).value();
}

}  // namespace quell
