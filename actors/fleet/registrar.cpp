#include "actors/fleet/registrar.hpp"

#include <unistd.h>

#include <algorithm>
#include <caf/all.hpp>
#include <set>

#include "actors/control_actor.hpp"
#include "actors/deletes/freeze.hpp"
#include "actors/effects/secret_registry.hpp"
#include "actors/fleet/fleet_snapshot.hpp"
#include "actors/fleet/run_question.hpp"
#include "actors/node/node_life.hpp"
#include "actors/node/pool_snapshot.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/steering.hpp"
#include "actors/send.hpp"
#include "actors/writes/kept_until.hpp"
#include "runtime/policy/beat_watch.hpp"
#include "runtime/policy/lease_ladder.hpp"

namespace quell {

namespace {

constexpr Millis ladder_period{250};
constexpr Millis stats_period{30'000};
// Of a store that no other node can write to: nobody waits for the beat, and the count of runs that
// comes with it could only differ by a fault of our own.
constexpr Millis beat_alone{60'000};

LeaseTimes times_of(const NodeSettings& settings, bool shared_store) {
  LeaseTimes times;
  times.beat = shared_store ? settings.beat : beat_alone;
  times.lease = settings.lease;
  times.self_stop = settings.self_stop;
  times.stop_deadline = settings.stop_deadline;
  return times;
}

class Registrar : public ControlActor {
 public:
  Registrar(caf::actor_config& config, const ControlSeat& seat, RegistrarParts parts)
      : ControlActor(config, seat),
        parts_(std::move(parts)),
        context_(parts_.context),
        times_(times_of(*context_->settings, parts_.shared_store)),
        renewed_(parts_.born),
        look_period_(std::min(context_->settings->poll, times_.lease / 5)),
        watch_(times_.lease, std::max(look_period_ * 3, times_.lease / 3)) {}

  caf::behavior make_behavior() override {
    send(this, BeatNow{});
    if (parts_.shared_store) {
      parts_.lease->extend_until(renewed_ + times_.self_stop);
      send(this, LookAround{});
      send(this, ClimbDown{});
    }
    return {
        [this](BeatNow) { beat(); },
        [this](LookAround) { look(); },
        [this](ClimbDown) { climb_down(); },
        [this](const HintsHeard& hints) { hear(hints.names); },
        [this](const BeatAnswered& answer) { beat_answered(answer); },
        [this](const RolesAnswered& answer) { roles_answered(answer.outcome); },
        [this](const RecoveryAnswered& answer) { recovery_answered(answer); },
        [this](const FleetSeen& seen) { fleet_seen(seen); },
        [this](const OrdersSeen& seen) { pass_on(seen.orders); },
        [this](DrainedByOrder) { state_ = "drained"; },
        [this](HandOver) {
          tell(context_->foreman, DrainRuns{{}, true});
        },
        [this](SayGoodbye& bye) { say_goodbye(std::move(bye)); },
    };
  }

  void on_exit() override { context_.reset(); }

 private:
  Millis now() const { return context_->clock->monotonic(); }

  void say(LogLevel level, const std::string& text, const std::string& fields = {}) const {
    if (context_->settings->log) context_->settings->log(level, text, fields);
  }

  template <class Message>
  void later(Millis delay, Message message) {
    context_->timers->after(delay, [self = weak(this), message] { tell(self, message); });
  }

  // ---- the lease ----
  void beat() {
    if (leaving_) return;
    auto ops = std::make_shared<storage::Batch>();
    storage::BeatOp beat;
    beat.owner = context_->self;
    beat.info = node_info(*context_->settings, context_->pools->read(), state_);
    ops->beats.push_back(std::move(beat));
    if (parts_.shared_store)
      for (std::size_t role = 0; role < role_names.size(); ++role)
        ops->roles.push_back(role_op(role));
    tell_first(context_->clerk, WriteOps{std::move(ops), [self = weak(this), from = now()](
                                                             Result<storage::Outcome> outcome) {
                                           tell(self, BeatAnswered{from, std::move(outcome)});
                                         }});
  }

  void beat_answered(const BeatAnswered& answer) {
    if (leaving_) return;
    if (!answer.outcome) {
      if (now() - renewed_ >= times_.beat * 2)
        say(LogLevel::warning, "the lease can't be renewed: " + to_string(answer.outcome.error()));
      return later(std::min(times_.beat / 5, Millis{1'000}), BeatNow{});
    }
    const storage::BeatResult& beat = answer.outcome->beats.front();
    if (!beat.alive) return leave("another node has called this one dead");
    renewed(answer.from);
    if (parts_.shared_store) roles_answered(answer.outcome);
    later(std::max(Millis{0}, answer.from + times_.beat - now()), BeatNow{});
  }

  void renewed(Millis from) {
    renewed_ = from;
    if (!parts_.shared_store) return;
    // Whatever was asked for while the lease was over has not begun and never will: its runs go,
    // before anything may begin again.
    const bool was_over = !context_->lease->holds();
    if (was_over) tell_first(context_->foreman, StopRuns{StopCause::drain});
    parts_.lease->extend_until(from + times_.self_stop);
    if (!was_over) return;
    rung_ = Rung::working;
    say(LogLevel::warning, "the lease is renewed: this node takes work again");
    tell(context_->clerk, LookAgain{});
  }

  void climb_down() {
    if (leaving_) return;
    const Millis since = now() - renewed_;
    const Rung rung = quell::rung(times_, since);
    if (rung >= Rung::stopping && rung_ == Rung::working) {
      say(LogLevel::error, "the lease is over: nothing starts here, and what runs is handed over");
      tell_first(context_->foreman, StopRuns{StopCause::drain});
    }
    rung_ = rung;
    if (rung == Rung::leaving && context_->metrics->runs > 0)
      return leave(
          "a run did not end although the lease is over, and soon its job may run elsewhere");
    const Millis next = next_rung(times_, since);
    const Millis wait = next == Millis::max() ? ladder_period : next - since;
    later(std::clamp(wait, Millis{1}, ladder_period), ClimbDown{});
  }

  // Nothing here is this node's any more, and nothing may outlive that: the process ends, its
  // programs with it. A service manager starts it again, as a new life.
  void leave(const std::string& why) {
    leaving_ = true;
    parts_.lease->end();
    say(LogLevel::error, why + ": the process ends now");
    if (context_->settings->leave) return context_->settings->leave();
    ::_exit(lease_lost_exit);
  }

  void say_goodbye(SayGoodbye bye) {
    leaving_ = true;
    auto ops = std::make_shared<storage::Batch>();
    storage::BeatOp beat;
    beat.owner = context_->self;
    beat.goodbye = true;
    ops->beats.push_back(std::move(beat));
    tell_first(context_->clerk,
               WriteOps{std::move(ops),
                        [done = std::move(bye.done)](const Result<storage::Outcome>&) { done(); }});
  }

  // ---- duties of one node in the fleet ----
  storage::RoleOp role_op(std::size_t role) const {
    storage::RoleOp op;
    op.role = std::string(role_names[role]);
    op.owner = context_->self;
    if (const auto& known = roles_[role]; known && is_orphaned(known->holder))
      op.seen = std::pair(known->holder, known->beat);
    return op;
  }

  // Its holder said goodbye, was called dead, or is in another life.
  bool is_orphaned(const storage::NodeLife& holder) const {
    if (nodes_.empty() || holder == context_->self) return false;
    return std::none_of(nodes_.begin(), nodes_.end(), [&holder](const storage::NodeView& node) {
      return node.owner == holder && !node.gone;
    });
  }

  void take_orphaned_roles() {
    const bool any = std::any_of(roles_.begin(), roles_.end(), [this](const auto& role) {
      return role && is_orphaned(role->holder);
    });
    if (!any) return;
    auto ops = std::make_shared<storage::Batch>();
    for (std::size_t role = 0; role < role_names.size(); ++role)
      ops->roles.push_back(role_op(role));
    tell(context_->clerk,
         WriteOps{std::move(ops), [self = weak(this)](Result<storage::Outcome> outcome) {
                    tell(self, RolesAnswered{std::move(outcome)});
                  }});
  }

  void roles_answered(const Result<storage::Outcome>& outcome) {
    if (!outcome) return;
    for (std::size_t role = 0; role < role_names.size(); ++role) {
      roles_[role] = outcome->roles[role];
      parts_.roles->set(role, roles_[role]->holder == context_->self);
    }
  }

  // ---- what others wrote ----
  void look() {
    if (leaving_) return;
    later(look_period_, LookAround{});
    look_now();
  }

  void look_now() {
    if (std::exchange(looking_, true)) {
      look_again_ = true;
      return;
    }
    const bool with_stats = now() >= next_stats_;
    if (with_stats) next_stats_ = now() + stats_period;
    context_->readers->run([self = weak(this), me = context_->self, clock = context_->clock,
                            secrets = parts_.secrets, with_stats](storage::Reader& reader) {
      const Millis began = clock->monotonic();
      auto nodes = reader.nodes();
      const Millis ended = clock->monotonic();
      FleetSeen seen{began,
                     ended,
                     std::move(nodes),
                     reader.orders(me),
                     reader.docs("queue", ""),
                     reader.docs("pool", ""),
                     reader.docs(run_question_kind, ""),
                     reader.doc("worker", me.node.text()),
                     Freeze::read(reader),
                     reader.counts(""),
                     secrets->load(reader)};
      if (with_stats)
        if (auto stats = reader.stats()) seen.stats = std::move(*stats);
      tell(self, std::move(seen));
    });
  }

  void look_for_orders() {
    context_->readers->run([self = weak(this), me = context_->self](storage::Reader& reader) {
      tell(self, OrdersSeen{reader.orders(me)});
    });
  }

  void hear(const std::vector<std::string>& names) {
    const std::string own = "orders:" + context_->self.node.text();
    const std::string_view queue = "queue:";
    for (const std::string& name : names) {
      if (name == own) look_for_orders();
      if (name == "erased") tell_first(context_->deleter, LookAtStore{true});
      if (name == "docs") look_now();
      if (name.starts_with(queue)) tell(context_->clerk, LookAgain{name.substr(queue.size())});
    }
  }

  // By the Clerk, which knows of every claim that came before.
  void pass_on(const Result<storage::Orders>& orders) {
    if (!orders || (orders->holders.empty() && orders->cancel_requests.empty())) return;
    tell_first(context_->clerk, OrdersRead{*orders});
  }

  void fleet_seen(const FleetSeen& seen) {
    looking_ = false;
    if (leaving_) return;
    if (seen.nodes) watch(seen);
    pass_on(seen.orders);
    if (seen.queues && seen.pools) adopt(*seen.queues, *seen.pools);
    if (seen.run_questions) run_answers_.answer(*seen.run_questions, *context_);
    if (seen.ordered && *seen.ordered) obey(**seen.ordered);
    if (seen.freeze) parts_.freeze->adopt(*seen.freeze);
    if (seen.counts) learn(*seen.counts);
    if (seen.stats) watch_snapshots(*seen.stats);
    if (!seen.secrets && secrets_are_fine_) say(LogLevel::warning, to_string(seen.secrets.error()));
    secrets_are_fine_ = seen.secrets.ok();
    if (std::exchange(look_again_, false)) look_now();
  }

  void adopt(const std::vector<storage::Doc>& queues, const std::vector<storage::Doc>& pools) {
    const Steering::Changes changes = parts_.steering->adopt(queues, pools);
    for (const QueueView& queue : changes.queues)
      tell_first(context_->clerk,
                 SetQueue{queue.name, queue.pool, parts_.steering->weight(queue.name), queue.paused,
                          queue.limits});
    for (const auto& [pool, capacity] : changes.pools)
      tell(context_->foreman, SetPool{pool, capacity});
  }

  // Told again with each look while it lasts: what dies meanwhile stays, and claims get slow.
  void watch_snapshots(const storage::StoreStats& stats) {
    context_->metrics->held_snapshot_s = static_cast<std::uint64_t>(stats.held_s);
    if (!stats.warning.empty()) say(LogLevel::warning, stats.warning);
  }

  // A queue that nobody here has heard of yet; from then on the Clerk looks at it by itself.
  void learn(const std::vector<storage::CountRow>& counts) {
    for (const storage::CountRow& row : counts)
      if (row.state == JobState::queued && row.n > 0 && queues_.insert(row.queue).second)
        tell(context_->clerk, LookAgain{row.queue});
  }

  void obey(const storage::Doc& doc) {
    const NodeOrder order = order_in(doc, context_->self);
    if (order <= obeyed_) return;
    obeyed_ = order;
    if (order == NodeOrder::stop && context_->settings->end) {
      say(LogLevel::info, "told to stop");
      return context_->settings->end();
    }
    say(LogLevel::info, "told to drain: this node takes nothing more");
    state_ = "draining";
    tell(context_->foreman,
         DrainRuns{[self = weak(this)] { tell(self, DrainedByOrder{}); }, false});
    later(context_->settings->drain_timeout, HandOver{});
  }

  // ---- the others ----
  void watch(const FleetSeen& seen) {
    nodes_ = *seen.nodes;
    std::vector<NodeBeat> living;
    for (const storage::NodeView& node : nodes_)
      if (!node.gone && !(node.owner == context_->self))
        living.push_back({node.owner.node, node.owner.life, node.beat});
    for (const NodeBeat& dead : watch_.look(seen.began, seen.ended, living))
      if (context_->lease->holds()) recover(dead);
    std::vector<FleetNode> shown;
    for (const storage::NodeView& node : nodes_)
      shown.push_back({node, watch_.still(node.owner.node)});
    context_->fleet->write(std::move(shown));
    take_orphaned_roles();
  }

  void recover(const NodeBeat& dead) {
    const Instant at = context_->clock->now();
    auto ops = std::make_shared<storage::Batch>();
    storage::RecoverOp op;
    op.node = dead.node;
    op.below_life = dead.life + 1;
    op.verdict = Verdict::lease_expired;
    op.now = at;
    op.max_lost = context_->settings->max_lost;
    op.failed_expires = kept_until(*context_->settings, JobState::failed, at);
    op.cancelled_expires = kept_until(*context_->settings, JobState::cancelled, at);
    op.if_beat = dead.beat;
    ops->recoveries.push_back(op);
    tell(context_->clerk, WriteOps{std::move(ops), [self = weak(this), node = dead.node](
                                                       Result<storage::Outcome> outcome) {
                                     tell(self, RecoveryAnswered{node, std::move(outcome)});
                                   }});
  }

  void recovery_answered(const RecoveryAnswered& answer) {
    if (!answer.outcome || !answer.outcome->recoveries.front().done)
      return;  // the next look decides
    const storage::RecoverResult& result = answer.outcome->recoveries.front();
    say(LogLevel::warning, "called a node dead whose beat stood still for its lease",
        "\"worker_id\":\"" + answer.node.text() + "\",\"requeued\":" +
            std::to_string(result.requeued) + ",\"failed\":" + std::to_string(result.failed) +
            ",\"deletes_finished\":" + std::to_string(result.erased.size()));
  }

  RegistrarParts parts_;
  std::shared_ptr<NodeContext> context_;
  LeaseTimes times_;
  Millis renewed_;  // the start of the last renewal that the store took
  Rung rung_ = Rung::working;
  Millis look_period_;
  BeatWatch watch_;
  std::vector<storage::NodeView> nodes_;
  std::array<std::optional<storage::RoleResult>, role_names.size()> roles_;
  std::set<std::string> queues_;  // that the Clerk was told of
  Millis next_stats_{0};
  RunAnswers run_answers_;
  NodeOrder obeyed_ = NodeOrder::none;
  std::string state_ = "up";
  bool secrets_are_fine_ = true;
  bool looking_ = false, look_again_ = false, leaving_ = false;
};

}  // namespace

caf::actor spawn_registrar(caf::actor_system& system, RegistrarParts parts) {
  const auto context = parts.context;
  return spawn_control<Registrar>(system, ControlPlace::registrar, *context, std::move(parts));
}

}  // namespace quell
