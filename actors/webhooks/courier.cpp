#include "actors/webhooks/courier.hpp"

#include <caf/all.hpp>
#include <random>
#include <set>
#include "actors/control_actor.hpp"

#include "actors/node/actor_sink.hpp"
#include "actors/node/mutant.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/webhooks/delivery_attempt.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/law/trace.hpp"

namespace quell {

namespace {

constexpr Millis store_retry{500};
constexpr Millis look_last{1'000};  // what other nodes left waiting is found by looking
constexpr Millis unknown_endpoint_wait{2'000};
constexpr std::uint64_t no_attempt = 0;  // of what is given back: it never was one here

class Courier : public ControlActor {
 public:
  Courier(caf::actor_config& config, const ControlSeat& seat, std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat), context_(std::move(context)), random_(std::random_device{}()) {}

  caf::behavior make_behavior() override {
    learn_next();
    if (context_->shared_store) read_endpoints();
    return {
        [this](DeliveriesDue) { look(); },
        [this](DeliveriesClaimed& claimed) { this->claimed(claimed.deliveries); },
        [this](const MarkedDeliveries& marked) {
          for (const MarkedDelivery& one : marked.all) this->marked(one);
        },
        [this](const EffectHead& head) {
          if (const auto at = attempts_.find(head.id); at != attempts_.end())
            at->second.took_head(head.head);
        },
        [this](const EffectPieces& some) { took(some); },
        [this](const EffectEnded& ended) { this->ended(ended); },
        [this](const DeliveryWritten& written) { this->written(written); },
        [this](const VerdictsWritten& written) {
          for (const JobId& job : written.own) fences_.erase(job);
        },
        [this](EndDeliveryAgain again) { write_end(again.attempt); },
        [this](const NextDelivery& next) { arm(next.due); },
        [this](const FlyingRead& read) { flying_read(read); },
        [this](ReadEndpoints) { read_endpoints(); },
        [this](DrainDeliveries& drain) { this->drain(std::move(drain)); },
    };
  }

  void on_exit() override {
    for (const auto& timer : {timer_, endpoints_timer_})
      if (timer) context_->timers->cancel(*timer);
    context_.reset();
  }

 private:
  static void note(ProtocolStep step, const DeliveryAttempt& attempt) {
    trace(step, attempt.delivery.job, 0, attempt.delivery.id);
  }

  // ---- claiming ----
  void took(const EffectPieces& some) {
    const auto at = attempts_.find(some.id);
    if (at == attempts_.end()) return;
    for (const std::string& piece : some.pieces)
      if (at->second.took_piece(piece) && at->second.effect)
        at->second.effect->abort(AbortHow::at_once);
  }

  // One question at a time: while it is unknown what an earlier write has done, nothing is claimed.
  // What the store says is in flight here is then known to be so, or known not to be.
  void look() {
    if (draining_) return;
    if (claiming_ || unsure_ends_ > 0) {
      again_ = true;
      return;
    }
    if (in_doubt_) return ask_what_flies();
    // With no room, the next end looks.
    const int room = context_->settings->webhook_concurrency - static_cast<int>(attempts_.size());
    if (room <= 0) return;
    claiming_ = true;
    again_ = false;
    auto ops = std::make_shared<storage::Batch>();
    ops->delivery_claims.push_back({context_->self, context_->clock->now(), room});
    auto answer = [self = weak(this)](Result<storage::Outcome> outcome) {
      if (!outcome) return tell(self, DeliveriesClaimed{outcome.error()});
      tell(self, DeliveriesClaimed{std::move(outcome->delivery_claims.front())});
    };
    tell(context_->clerk, WriteOps{std::move(ops), std::move(answer)});
  }

  void claimed(Result<std::vector<storage::ClaimedDelivery>>& deliveries) {
    if (deliveries)
      for (storage::ClaimedDelivery& one : *deliveries) take(std::move(one));
    claiming_ = false;
    if (!deliveries) return doubt();
    if (again_)
      look();
    else
      learn_next();
    finish_drain();
  }

  void doubt() {
    in_doubt_ = true;
    look_later(store_retry);
    finish_drain();
  }

  void take(storage::ClaimedDelivery&& delivery) {
    const std::uint64_t serial = ++last_;
    const Instant now = context_->clock->now();
    DeliveryAttempt& attempt =
        attempts_.try_emplace(serial, std::move(delivery), context_->timers->now()).first->second;
    by_delivery_[attempt.delivery.id] = serial;
    note(ProtocolStep::delivery_known, attempt);
    if (is_fenced(attempt.delivery)) {
      say(attempt, Verdict::not_started);
      return forget(serial);
    }
    const DeliveryTarget target = target_of(attempt.delivery, *context_->endpoints, now);
    if (!target.unreachable.empty()) return end_untried(serial, target.unreachable);
    if (draining_) return end_untried(serial, {});
    note(ProtocolStep::delivery_begun, attempt);
    attempt.effect = context_->effects->start(
        sink(), serial,
        delivery_request(attempt.delivery, target, now, context_->settings->webhook_timeout),
        EffectOrigin{attempt.delivery.job, 0, target.project});
  }

  std::shared_ptr<EffectSink> sink() {
    if (!sink_) sink_ = std::make_shared<ActorSink>(weak(this));
    return sink_;
  }

  // ---- ending ----
  void ended(const EffectEnded& end) {
    const auto at = attempts_.find(end.id);
    QUELL_ASSERT(at != attempts_.end());
    DeliveryAttempt& attempt = at->second;
    attempt.effect.reset();
    note(ProtocolStep::delivery_over, attempt);
    if (attempt.marked) {
      say(attempt, end.note.aborted ? Verdict::stopped : Verdict::finished_first);
      return forget(end.id);
    }
    if (draining_ && end.note.aborted) return end_untried(end.id, {});
    const Instant now = context_->clock->now();
    const DeliveryTry one = attempt.ended(end.answer, now);
    const auto endpoint = context_->endpoints->find(attempt.delivery.endpoint);
    const DeliveryStep step = after_delivery(one, endpoint ? endpoint->health : EndpointHealth{},
                                             context_->settings->webhook_patience,
                                             std::uniform_real_distribution<double>{}(random_));
    storage::DeliveryEndOp op = end_op(attempt);
    op.retry_at = step.retry_at;
    op.delivered = step.delivered;
    op.log = attempt.log_line(now, context_->timers->now(), step);
    count(step);
    attempt.end = std::make_shared<storage::Batch>();
    attempt.end->delivery_ends.push_back(std::move(op));
    if (endpoint && !(step.health == endpoint->health)) change_health(attempt, *endpoint, step);
    write_end(end.id);
  }

  storage::DeliveryEndOp end_op(const DeliveryAttempt& attempt) const {
    storage::DeliveryEndOp op;
    op.id = attempt.delivery.id;
    op.owner = context_->self;
    op.now = context_->clock->now();
    return op;
  }

  // Nothing was sent, or not to its end. An endpoint that this node does not know yet may have been
  // registered on another one a moment ago.
  void end_untried(std::uint64_t serial, const std::string& why) {
    DeliveryAttempt& attempt = attempts_.at(serial);
    storage::DeliveryEndOp op = end_op(attempt);
    const bool known = context_->endpoints->find(attempt.delivery.endpoint).has_value();
    if (why.empty())
      op.retry_at = op.now;
    else if (context_->shared_store && !known && attempt.delivery.tries == 0)
      op.retry_at = op.now + unknown_endpoint_wait;
    op.log = "{\"at_ms\":" + std::to_string(op.now.time_since_epoch().count()) +
             ",\"status\":null,\"fault\":\"" +
             (why.empty() ? "handed back: the node was shut down" : why) + "\"}";
    attempt.end = std::make_shared<storage::Batch>();
    attempt.end->delivery_ends.push_back(std::move(op));
    write_end(serial);
  }

  void count(const DeliveryStep& step) {
    Metrics& metrics = *context_->metrics;
    metrics.deliveries_done += step.delivered ? 1 : 0;
    metrics.deliveries_failed += step.delivered ? 0 : 1;
    metrics.deliveries_given_up += !step.delivered && !step.retry_at ? 1 : 0;
  }

  // Only when it begins to fail, recovers, or is switched off: not with each delivery.
  void change_health(DeliveryAttempt& attempt, WebhookEndpoint endpoint, const DeliveryStep& step) {
    endpoint.health = step.health;
    if (!step.disabled_because.empty()) {
      endpoint.disabled_because = step.disabled_because;
      raise_alert(attempt, endpoint);
    }
    attempt.end->docs.push_back(context_->endpoints->sealed(endpoint));
    endpoint.version += 1;
    context_->endpoints->put(std::move(endpoint));
  }

  void raise_alert(DeliveryAttempt& attempt, const WebhookEndpoint& endpoint) {
    const std::string data = "{\"alert\":\"webhook_disabled\",\"webhook_id\":\"" + endpoint.id +
                             "\",\"because\":\"" + endpoint.disabled_because + "\"}";
    attempt.end->audits.push_back(
        {context_->clock->now(), "quell", "webhook.disabled", endpoint.id, data});
    context_->events->tell({.type = "alert.raised", .data = data, .at = context_->clock->now()});
    if (context_->settings->log)
      context_->settings->log(LogLevel::warning, "a webhook endpoint was disabled",
                              data.substr(1, data.size() - 2));
  }

  void write_end(std::uint64_t serial) {
    const auto at = attempts_.find(serial);
    if (at == attempts_.end()) return;
    auto ops = std::make_shared<storage::Batch>(*at->second.end);
    const bool health = !ops->docs.empty();
    tell(context_->clerk, WriteOps{std::move(ops), [self = weak(this), serial,
                                                    health](Result<storage::Outcome> outcome) {
                                     DeliveryWritten message{serial, outcome.ok(), false};
                                     if (outcome && health)
                                       message.endpoint_stale = !outcome->docs.front().written;
                                     tell(self, message);
                                   }});
  }

  // Refused means that its job was marked meanwhile (its verdict was or will be asked for), or that
  // an earlier write had arrived after all.
  void written(const DeliveryWritten& message) {
    if (message.attempt == no_attempt) return given_back(message.written);
    const auto at = attempts_.find(message.attempt);
    if (at == attempts_.end()) return;
    const bool was_unsure = std::exchange(at->second.end_is_unsure, !message.written);
    unsure_ends_ += static_cast<int>(at->second.end_is_unsure) - static_cast<int>(was_unsure);
    if (!message.written) {
      context_->timers->after(
          store_retry,
          [self = weak(this), again = EndDeliveryAgain{message.attempt}] { tell(self, again); });
      return;
    }
    if (message.endpoint_stale) load_endpoints();
    forget(message.attempt);
    look();
  }

  void forget(std::uint64_t serial) {
    const auto at = attempts_.find(serial);
    if (at == attempts_.end()) return;
    // The commit that ended it may have claimed it anew, for a person wanted it delivered again.
    const auto current = by_delivery_.find(at->second.delivery.id);
    if (current != by_delivery_.end() && current->second == serial) by_delivery_.erase(current);
    attempts_.erase(at);
    finish_drain();
  }

  // ---- deletes ----
  void marked(const MarkedDelivery& mark) {
    fences_[mark.job].insert(mark.ref);
    trace(ProtocolStep::delivery_marked, mark.job, 0, mark.ref);
    const auto serial = by_delivery_.find(mark.ref);
    if (serial == by_delivery_.end()) return say(mark.job, mark.ref, Verdict::not_running);
    DeliveryAttempt& attempt = attempts_.at(serial->second);
    attempt.marked = true;
    if (!attempt.effect) return say(attempt, Verdict::finished_first);
    if (mutated(Mutant::delivery_weighed_early)) say(attempt, Verdict::stopped);
    if (!mutated(Mutant::delivery_not_aborted)) attempt.effect->abort(AbortHow::at_once);
  }

  // From its mark until its verdict is written a delivery does not start here, however late a claim
  // of it is heard of.
  bool is_fenced(const storage::ClaimedDelivery& delivery) const {
    const auto fence = fences_.find(delivery.job);
    return fence != fences_.end() && fence->second.contains(delivery.id);
  }

  void say(const DeliveryAttempt& attempt, Verdict verdict) {
    context_->metrics->deliveries_aborted += verdict == Verdict::stopped ? 1 : 0;
    say(attempt.delivery.job, attempt.delivery.id, verdict);
  }

  void say(JobId job, Uuid ref, Verdict verdict) {
    trace(ProtocolStep::delivery_weighed, job, 0, ref);
    storage::VerdictOp op{.job = job,
                          .what = storage::HolderKind::delivery,
                          .ref = ref,
                          .owner = context_->self,
                          .epoch = 0,
                          .verdict = verdict,
                          .now = context_->clock->now()};
    op.tell_others = context_->shared_store;
    tell(context_->clerk, DeliveriesDown{{op}});
  }

  // ---- time ----
  void look_later(Millis delay) {
    if (timer_) context_->timers->cancel(*timer_);
    timer_ = context_->timers->after(delay, [self = weak(this)] { tell(self, DeliveriesDue{}); });
  }

  void learn_next() {
    context_->readers->run([self = weak(this)](storage::Reader& reader) {
      auto next = reader.next_delivery();
      tell(self, NextDelivery{next ? *next : std::optional<Instant>{}});
    });
  }

  void arm(std::optional<Instant> due) {
    if (draining_ || claiming_) return;
    std::optional<Millis> wait;
    if (due) wait = *due - context_->clock->now();
    if (wait && *wait <= Millis{0}) return look();
    if (context_->shared_store) wait = std::min(wait.value_or(look_last), look_last);
    if (wait) look_later(*wait);
  }

  // ---- what this node does not know ----
  // A claim was made, or not, and nobody has heard of it. None is out while this is asked and
  // answered, or one that is only on its way here would be given back, and sent.
  void ask_what_flies() {
    claiming_ = true;
    context_->readers->run([self = weak(this), own = context_->self](storage::Reader& reader) {
      tell(self, FlyingRead{reader.flying(own)});
    });
  }

  void flying_read(const FlyingRead& read) {
    if (!read.ids) return given_back(false);
    auto ops = std::make_shared<storage::Batch>();
    for (const Uuid& id : *read.ids) {
      if (by_delivery_.contains(id)) continue;
      storage::DeliveryEndOp op;
      op.id = id;
      op.owner = context_->self;
      op.now = context_->clock->now();
      op.retry_at = op.now;
      ops->delivery_ends.push_back(std::move(op));
    }
    if (ops->delivery_ends.empty()) return given_back(true);
    tell(context_->clerk,
         WriteOps{std::move(ops), [self = weak(this)](const Result<storage::Outcome>& outcome) {
                    tell(self, DeliveryWritten{no_attempt, outcome.ok(), false});
                  }});
  }

  void given_back(bool written) {
    claiming_ = false;
    if (!written) return doubt();
    in_doubt_ = false;
    look();
    finish_drain();
  }

  void load_endpoints() {
    context_->readers->run([registry = context_->endpoints](storage::Reader& reader) {
      static_cast<void>(registry->load(reader));  // a failed look is made good by the next one
    });
  }

  void read_endpoints() {
    load_endpoints();
    endpoints_timer_ =
        context_->timers->after(look_last, [self = weak(this)] { tell(self, ReadEndpoints{}); });
  }

  // ---- drain ----
  void drain(DrainDeliveries drain) {
    draining_ = true;
    if (drain.done) drained_ = std::move(drain.done);
    if (drain.at_once)
      for (auto& [serial, attempt] : attempts_)
        if (attempt.effect) attempt.effect->abort(AbortHow::at_once);
    finish_drain();
  }

  void finish_drain() {
    if (draining_ && drained_ && !claiming_ && attempts_.empty())
      std::exchange(drained_, nullptr)();
  }

  std::shared_ptr<NodeContext> context_;
  std::map<std::uint64_t, DeliveryAttempt> attempts_;
  std::unordered_map<Uuid, std::uint64_t> by_delivery_;
  std::unordered_map<JobId, std::set<Uuid>> fences_;  // marked, and no verdict written yet
  int unsure_ends_ = 0;                               // written or not, and said again
  std::uint64_t last_ = 0;
  std::shared_ptr<ActorSink> sink_;
  std::optional<Timers::Id> timer_, endpoints_timer_;
  std::function<void()> drained_;
  std::mt19937_64 random_;
  bool claiming_ = false;  // a claim is out, or the question what an unheard one has brought
  bool again_ = false, draining_ = false;
  bool in_doubt_ = false;  // a claim's outcome is unknown: the store may hold more as ours
};

}  // namespace

caf::actor spawn_courier(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<Courier>(system, ControlPlace::courier, *context, context);
}

}  // namespace quell
