// Registered webhook endpoints, opened in memory: who listens to what, where, and what signs. Their
// secrets rest sealed. Every node keeps its own registry; what another node changed is read again.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/policy/webhook_delivery.hpp"
#include "runtime/policy/webhook_outbox.hpp"
#include "runtime/signing/secret_box.hpp"
#include "storage/reader.hpp"

namespace quell {

struct WebhookEndpoint {
  std::string id, project = "default", url, description;
  std::vector<std::string> events = {};  // empty: all
  std::vector<LivingSecret> secrets = {};
  EndpointHealth health = {};
  std::string disabled_because = {};
  Instant created = {};
  std::int64_t version = 0;  // of the document
};

class EndpointRegistry {
 public:
  explicit EndpointRegistry(SecretBox box);

  Result<void> load(storage::Reader& reader);  // replaces what was known
  // The document to store, refused when another version than the endpoint's is stored; the registry
  // knows the endpoint only when `put` has been told that it is.
  storage::DocOp sealed(const WebhookEndpoint& endpoint) const;
  static storage::DocOp removal(const std::string& id);
  void put(WebhookEndpoint endpoint);
  void remove(const std::string& id);

  std::optional<WebhookEndpoint> find(const std::string& id) const;
  std::vector<WebhookEndpoint> list(const std::string& project) const;  // "" = any, by id
  std::shared_ptr<const SubscriptionSet> subscriptions() const;         // of those enabled
  // What signs the messages to the URLs that a project's jobs name themselves.
  WebhookSecret own_secret(const std::string& project) const;
  // 32 bytes of the node's secret key for one other purpose, the same on every node of a fleet.
  std::string key_for(std::string_view purpose) const;

 private:
  Result<WebhookEndpoint> opened(const storage::Doc& doc) const;
  void count_listeners();  // under the lock

  SecretBox box_;
  mutable std::mutex mutex_;
  std::map<std::string, WebhookEndpoint> endpoints_;
  std::shared_ptr<const SubscriptionSet> subscriptions_;
};

}  // namespace quell
