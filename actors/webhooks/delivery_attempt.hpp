// One delivery on its way: what is sent, what came back, what is written of it. Plain state, no
// actor.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "actors/runs/effect_runner.hpp"
#include "actors/webhooks/endpoint_registry.hpp"
#include "storage/batch.hpp"

namespace quell {

// Where a delivery goes and what signs it; or why it goes nowhere.
struct DeliveryTarget {
  std::string url, project;
  std::vector<WebhookSecret> secrets = {};
  EndpointHealth health = {};
  std::string unreachable = {};  // not empty: nothing is sent
};
DeliveryTarget target_of(const storage::ClaimedDelivery& delivery, const EndpointRegistry& registry,
                         Instant now);

StreamRequest delivery_request(const storage::ClaimedDelivery& delivery,
                               const DeliveryTarget& target, Instant now, Millis timeout);

class DeliveryAttempt {
 public:
  static constexpr std::size_t shown_bytes = 4096;                  // of the reply, kept for people
  static constexpr std::size_t read_bytes = std::size_t{64} << 10;  // then the rest is not read

  DeliveryAttempt(storage::ClaimedDelivery what, Millis began)
      : delivery(std::move(what)), began_(began) {}

  void took_head(const HttpReply& head) { head_ = head; }
  bool took_piece(const std::string& piece);  // true: enough was read
  // The try as the policy sees it, and as people do.
  DeliveryTry ended(const EffectAnswer& answer, Instant now);
  std::string log_line(Instant now, Millis at, const DeliveryStep& step) const;

  const storage::ClaimedDelivery delivery;
  std::unique_ptr<RunningEffect> effect = {};
  bool marked = false;                       // its job is to go
  std::shared_ptr<storage::Batch> end = {};  // its end, on its way to the store
  bool end_is_unsure = false;                // … and it may have arrived

 private:
  const Millis began_;
  std::optional<HttpReply> head_;
  std::string shown_, fault_;
  std::size_t bytes_ = 0;
  std::optional<int> status_;
};

}  // namespace quell
