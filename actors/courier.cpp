#include "actors/courier.hpp"

#include <caf/all.hpp>
#include <random>

#include "actors/actor_sink.hpp"
#include "actors/flight.hpp"
#include "actors/reader_pool.hpp"
#include "runtime/assert.hpp"

namespace quell {

namespace {

constexpr Millis store_retry{500};
constexpr Millis look_last{1'000};  // what other nodes left waiting is found by looking
constexpr Millis unknown_endpoint_wait{2'000};

class Courier : public caf::event_based_actor {
 public:
  Courier(caf::actor_config& config, std::shared_ptr<Cast> cast)
      : caf::event_based_actor(config), cast_(std::move(cast)), random_(std::random_device{}()) {}

  const char* name() const override { return "courier"; }

  caf::behavior make_behavior() override {
    set_default_handler(caf::print_and_drop);
    learn_next();
    if (cast_->shared_store) read_endpoints();
    return {
        [this](DeliveriesDue) { look(); },
        [this](DeliveriesClaimed& claimed) { this->claimed(claimed.deliveries); },
        [this](const MarkedDeliveries& marked) {
          for (const MarkedDelivery& one : marked.all) this->marked(one);
        },
        [this](const EffectHead& head) {
          if (const auto at = flights_.find(head.id); at != flights_.end())
            at->second.took_head(head.head);
        },
        [this](const EffectPiece& piece) {
          const auto at = flights_.find(piece.id);
          if (at != flights_.end() && at->second.took_piece(piece.piece) && at->second.effect)
            at->second.effect->abort(AbortHow::at_once);
        },
        [this](const EffectEnded& ended) { this->ended(ended); },
        [this](const DeliveryWritten& written) { this->written(written); },
        [this](EndDeliveryAgain again) { write_end(again.flight); },
        [this](const NextDelivery& next) { arm(next.due); },
        [this](const FlyingRead& read) { give_back_unknown(read); },
        [this](ReadEndpoints) { read_endpoints(); },
        [this](DrainDeliveries& drain) { this->drain(std::move(drain)); },
    };
  }

  void on_exit() override {
    for (const auto& timer : {timer_, endpoints_timer_})
      if (timer) cast_->timers->cancel(*timer);
    cast_.reset();
  }

 private:
  // ---- claiming ----
  void look() {
    if (draining_) return;
    if (claiming_) {
      again_ = true;
      return;
    }
    // With no room, the next end looks.
    const int room = cast_->settings->webhook_concurrency - static_cast<int>(flights_.size());
    if (room <= 0) return;
    claiming_ = true;
    again_ = false;
    auto ops = std::make_shared<storage::Batch>();
    ops->delivery_claims.push_back({cast_->self, cast_->clock->now(), room});
    auto answer = [self = weak(this)](Result<storage::Outcome> outcome) {
      if (!outcome) return tell(self, DeliveriesClaimed{outcome.error()});
      tell(self, DeliveriesClaimed{std::move(outcome->delivery_claims.front())});
    };
    tell(cast_->clerk, WriteOps{std::move(ops), std::move(answer)});
  }

  void claimed(Result<std::vector<storage::ClaimedDelivery>>& deliveries) {
    claiming_ = false;
    if (!deliveries) {
      in_doubt_ = true;
      return look_later(store_retry);
    }
    for (storage::ClaimedDelivery& one : *deliveries) take(std::move(one));
    if (std::exchange(in_doubt_, false)) ask_what_flies();
    if (again_)
      look();
    else
      learn_next();
    finish_drain();
  }

  void take(storage::ClaimedDelivery delivery) {
    const std::uint64_t serial = ++last_;
    const Instant now = cast_->clock->now();
    Flight& flight =
        flights_.try_emplace(serial, std::move(delivery), cast_->timers->now()).first->second;
    by_delivery_[flight.delivery.id] = serial;
    const DeliveryTarget target = target_of(flight.delivery, *cast_->endpoints, now);
    if (!target.unreachable.empty()) return end_untried(serial, target.unreachable);
    if (draining_) return end_untried(serial, {});
    flight.effect = cast_->effects->start(
        sink(), serial,
        delivery_request(flight.delivery, target, now, cast_->settings->webhook_timeout),
        EffectOrigin{flight.delivery.job, 0, target.project});
  }

  std::shared_ptr<EffectSink> sink() {
    if (!sink_) sink_ = std::make_shared<ActorSink>(weak(this));
    return sink_;
  }

  // ---- ending ----
  void ended(const EffectEnded& end) {
    const auto at = flights_.find(end.id);
    QUELL_ASSERT(at != flights_.end());
    Flight& flight = at->second;
    flight.effect.reset();
    if (flight.marked) {
      say(flight, end.note.aborted ? Verdict::stopped : Verdict::finished_first);
      return forget(end.id);
    }
    if (draining_ && end.note.aborted) return end_untried(end.id, {});
    const Instant now = cast_->clock->now();
    const DeliveryTry one = flight.ended(end.answer, now);
    const auto endpoint = cast_->endpoints->find(flight.delivery.endpoint);
    const DeliveryStep step = after_delivery(one, endpoint ? endpoint->health : EndpointHealth{},
                                             cast_->settings->webhook_patience,
                                             std::uniform_real_distribution<double>{}(random_));
    storage::DeliveryEndOp op = end_op(flight);
    op.retry_at = step.retry_at;
    op.delivered = step.delivered;
    op.log = flight.log_line(now, cast_->timers->now(), step);
    count(step);
    flight.end = std::make_shared<storage::Batch>();
    flight.end->delivery_ends.push_back(std::move(op));
    if (endpoint && !(step.health == endpoint->health)) change_health(flight, *endpoint, step);
    write_end(end.id);
  }

  storage::DeliveryEndOp end_op(const Flight& flight) const {
    storage::DeliveryEndOp op;
    op.id = flight.delivery.id;
    op.owner = cast_->self;
    op.now = cast_->clock->now();
    return op;
  }

  // Nothing was sent, or not to its end. An endpoint that this node does not know yet may have been
  // registered on another one a moment ago.
  void end_untried(std::uint64_t serial, const std::string& why) {
    Flight& flight = flights_.at(serial);
    storage::DeliveryEndOp op = end_op(flight);
    const bool known = cast_->endpoints->find(flight.delivery.endpoint).has_value();
    if (why.empty())
      op.retry_at = op.now;
    else if (cast_->shared_store && !known && flight.delivery.tries == 0)
      op.retry_at = op.now + unknown_endpoint_wait;
    op.log = "{\"at_ms\":" + std::to_string(op.now.time_since_epoch().count()) +
             ",\"status\":null,\"fault\":\"" +
             (why.empty() ? "handed back: the node was shut down" : why) + "\"}";
    flight.end = std::make_shared<storage::Batch>();
    flight.end->delivery_ends.push_back(std::move(op));
    write_end(serial);
  }

  void count(const DeliveryStep& step) {
    Figures& figures = *cast_->figures;
    figures.deliveries_done += step.delivered ? 1 : 0;
    figures.deliveries_failed += step.delivered ? 0 : 1;
    figures.deliveries_given_up += !step.delivered && !step.retry_at ? 1 : 0;
  }

  // Only when it begins to fail, recovers, or is switched off: not with each delivery.
  void change_health(Flight& flight, WebhookEndpoint endpoint, const DeliveryStep& step) {
    endpoint.health = step.health;
    if (!step.disabled_because.empty()) {
      endpoint.disabled_because = step.disabled_because;
      raise_alert(flight, endpoint);
    }
    flight.end->docs.push_back(cast_->endpoints->sealed(endpoint));
    endpoint.version += 1;
    cast_->endpoints->put(std::move(endpoint));
  }

  void raise_alert(Flight& flight, const WebhookEndpoint& endpoint) {
    const std::string data = "{\"alert\":\"webhook_disabled\",\"webhook_id\":\"" + endpoint.id +
                             "\",\"because\":\"" + endpoint.disabled_because + "\"}";
    flight.end->audits.push_back(
        {cast_->clock->now(), "quell", "webhook.disabled", endpoint.id, data});
    cast_->events->tell({.type = "alert.raised", .data = data, .at = cast_->clock->now()});
    if (cast_->settings->log)
      cast_->settings->log(LogLevel::warning, "a webhook endpoint was disabled",
                           data.substr(1, data.size() - 2));
  }

  void write_end(std::uint64_t serial) {
    const auto at = flights_.find(serial);
    if (at == flights_.end()) return;
    auto ops = std::make_shared<storage::Batch>(*at->second.end);
    const bool health = !ops->docs.empty();
    tell(cast_->clerk, WriteOps{std::move(ops), [self = weak(this), serial,
                                                 health](Result<storage::Outcome> outcome) {
                                  DeliveryWritten news{serial, outcome.ok(), false};
                                  if (outcome && health)
                                    news.endpoint_stale = !outcome->docs.front().written;
                                  tell(self, news);
                                }});
  }

  // Refused means that its job was marked meanwhile (its verdict was or will be asked for), or that
  // an earlier write had arrived after all.
  void written(const DeliveryWritten& news) {
    if (!news.written) {
      cast_->timers->after(store_retry, [self = weak(this), again = EndDeliveryAgain{news.flight}] {
        tell(self, again);
      });
      return;
    }
    if (news.endpoint_stale) load_endpoints();
    forget(news.flight);
    look();
  }

  void forget(std::uint64_t serial) {
    const auto at = flights_.find(serial);
    if (at == flights_.end()) return;
    by_delivery_.erase(at->second.delivery.id);
    flights_.erase(at);
    finish_drain();
  }

  // ---- deletes ----
  void marked(const MarkedDelivery& mark) {
    const auto serial = by_delivery_.find(mark.ref);
    if (serial == by_delivery_.end()) return say(mark.job, mark.ref, Verdict::not_running);
    Flight& flight = flights_.at(serial->second);
    flight.marked = true;
    if (!flight.effect) return say(flight, Verdict::finished_first);
    flight.effect->abort(AbortHow::at_once);
  }

  void say(const Flight& flight, Verdict verdict) {
    cast_->figures->deliveries_aborted += verdict == Verdict::stopped ? 1 : 0;
    say(flight.delivery.job, flight.delivery.id, verdict);
  }

  void say(JobId job, Uuid ref, Verdict verdict) {
    storage::VerdictOp op{.job = job,
                          .what = storage::HolderKind::delivery,
                          .ref = ref,
                          .owner = cast_->self,
                          .verdict = verdict,
                          .now = cast_->clock->now()};
    op.tell_others = cast_->shared_store;
    tell(cast_->clerk, DeliveriesDown{{std::move(op)}});
  }

  // ---- time ----
  void look_later(Millis delay) {
    if (timer_) cast_->timers->cancel(*timer_);
    timer_ = cast_->timers->after(delay, [self = weak(this)] { tell(self, DeliveriesDue{}); });
  }

  void learn_next() {
    cast_->readers->run([self = weak(this)](storage::Reader& reader) {
      auto next = reader.next_delivery();
      tell(self, NextDelivery{next ? *next : std::optional<Instant>{}});
    });
  }

  void arm(std::optional<Instant> due) {
    if (draining_ || claiming_) return;
    std::optional<Millis> wait;
    if (due) wait = *due - cast_->clock->now();
    if (wait && *wait <= Millis{0}) return look();
    if (cast_->shared_store) wait = std::min(wait.value_or(look_last), look_last);
    if (wait) look_later(*wait);
  }

  // ---- what this node does not know ----
  void ask_what_flies() {
    cast_->readers->run([self = weak(this), own = cast_->self](storage::Reader& reader) {
      tell(self, FlyingRead{reader.flying(own)});
    });
  }

  void give_back_unknown(const FlyingRead& read) {
    if (!read.ids) {
      in_doubt_ = true;
      return look_later(store_retry);
    }
    auto ops = std::make_shared<storage::Batch>();
    for (const Uuid& id : *read.ids) {
      if (by_delivery_.contains(id)) continue;
      storage::DeliveryEndOp op;
      op.id = id;
      op.owner = cast_->self;
      op.now = cast_->clock->now();
      op.retry_at = op.now;
      ops->delivery_ends.push_back(std::move(op));
    }
    if (ops->delivery_ends.empty()) return;
    tell(cast_->clerk, WriteOps{std::move(ops), [self = weak(this)](Result<storage::Outcome>) {
                                  tell(self, DeliveriesDue{});
                                }});
  }

  void load_endpoints() {
    cast_->readers->run([shelf = cast_->endpoints](storage::Reader& reader) {
      static_cast<void>(shelf->load(reader));  // a failed look is made good by the next one
    });
  }

  void read_endpoints() {
    load_endpoints();
    endpoints_timer_ =
        cast_->timers->after(look_last, [self = weak(this)] { tell(self, ReadEndpoints{}); });
  }

  // ---- drain ----
  void drain(DrainDeliveries drain) {
    draining_ = true;
    if (drain.done) drained_ = std::move(drain.done);
    if (drain.at_once)
      for (auto& [serial, flight] : flights_)
        if (flight.effect) flight.effect->abort(AbortHow::at_once);
    finish_drain();
  }

  void finish_drain() {
    if (draining_ && drained_ && !claiming_ && flights_.empty()) std::exchange(drained_, nullptr)();
  }

  std::shared_ptr<Cast> cast_;
  std::map<std::uint64_t, Flight> flights_;
  std::unordered_map<Uuid, std::uint64_t> by_delivery_;
  std::uint64_t last_ = 0;
  std::shared_ptr<ActorSink> sink_;
  std::optional<Timers::Id> timer_, endpoints_timer_;
  std::function<void()> drained_;
  std::mt19937_64 random_;
  bool claiming_ = false, again_ = false, draining_ = false;
  bool in_doubt_ = false;  // a claim's outcome is unknown: the store may hold more as ours
};

}  // namespace

caf::actor spawn_courier(caf::actor_system& system, std::shared_ptr<Cast> cast) {
  if (cast->own_threads) return system.spawn<Courier, caf::detached>(std::move(cast));
  return system.spawn<Courier>(std::move(cast));
}

}  // namespace quell
