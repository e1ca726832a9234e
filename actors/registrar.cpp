#include "actors/registrar.hpp"

#include <unistd.h>

#include <algorithm>
#include <caf/all.hpp>
#include <set>

#include "actors/fleet_board.hpp"
#include "actors/node_life.hpp"
#include "actors/pool_board.hpp"
#include "actors/reader_pool.hpp"
#include "actors/secret_shelf.hpp"
#include "actors/send.hpp"
#include "actors/steering.hpp"
#include "runtime/beat_watch.hpp"
#include "runtime/lease_ladder.hpp"

namespace quell {

namespace {

constexpr Millis ladder_period{250};
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

class Registrar : public caf::event_based_actor {
 public:
  Registrar(caf::actor_config& config, RegistrarParts parts)
      : caf::event_based_actor(config),
        parts_(std::move(parts)),
        cast_(parts_.cast),
        times_(times_of(*cast_->settings, parts_.shared_store)),
        renewed_(parts_.born),
        look_period_(std::min(cast_->settings->poll, times_.lease / 5)),
        watch_(times_.lease, std::max(look_period_ * 3, times_.lease / 3)) {}

  const char* name() const override { return "registrar"; }

  caf::behavior make_behavior() override {
    set_default_handler(caf::print_and_drop);
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
        [this](const BurialAnswered& answer) { burial_answered(answer); },
        [this](const FleetSeen& seen) { fleet_seen(seen); },
        [this](const OrdersSeen& seen) { pass_on(seen.orders); },
        [this](DrainedByOrder) { state_ = "drained"; },
        [this](HandOver) {
          tell(cast_->foreman, DrainRuns{{}, true});
        },
        [this](SayGoodbye& bye) { say_goodbye(std::move(bye)); },
    };
  }

  void on_exit() override { cast_.reset(); }

 private:
  Millis now() const { return cast_->clock->monotonic(); }

  void say(LogLevel level, const std::string& text, const std::string& fields = {}) const {
    if (cast_->settings->log) cast_->settings->log(level, text, fields);
  }

  template <class Message>
  void later(Millis delay, Message message) {
    cast_->timers->after(delay, [self = weak(this), message] { tell(self, message); });
  }

  // ---- the lease ----
  void beat() {
    if (leaving_) return;
    auto ops = std::make_shared<storage::Batch>();
    storage::BeatOp beat;
    beat.owner = cast_->self;
    beat.info = node_info(*cast_->settings, cast_->pools->read(), state_);
    ops->beats.push_back(std::move(beat));
    if (parts_.shared_store)
      for (std::size_t role = 0; role < role_names.size(); ++role)
        ops->roles.push_back(role_op(role));
    tell_first(cast_->clerk, WriteOps{std::move(ops), [self = weak(this), from = now()](
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
    const bool was_over = !cast_->lease->holds();
    if (was_over) tell_first(cast_->foreman, StopRuns{StopCause::drain});
    parts_.lease->extend_until(from + times_.self_stop);
    if (!was_over) return;
    rung_ = Rung::working;
    say(LogLevel::warning, "the lease is renewed: this node takes work again");
    tell(cast_->clerk, LookAgain{});
  }

  void climb_down() {
    if (leaving_) return;
    const Millis since = now() - renewed_;
    const Rung rung = quell::rung(times_, since);
    if (rung >= Rung::stopping && rung_ == Rung::working) {
      say(LogLevel::error, "the lease is over: nothing starts here, and what runs is handed over");
      tell_first(cast_->foreman, StopRuns{StopCause::drain});
    }
    rung_ = rung;
    if (rung == Rung::leaving && cast_->figures->runs > 0)
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
    if (cast_->settings->leave) return cast_->settings->leave();
    ::_exit(lease_lost_exit);
  }

  void say_goodbye(SayGoodbye bye) {
    leaving_ = true;
    auto ops = std::make_shared<storage::Batch>();
    storage::BeatOp beat;
    beat.owner = cast_->self;
    beat.goodbye = true;
    ops->beats.push_back(std::move(beat));
    tell_first(cast_->clerk,
               WriteOps{std::move(ops),
                        [done = std::move(bye.done)](const Result<storage::Outcome>&) { done(); }});
  }

  // ---- duties of one node in the fleet ----
  storage::RoleOp role_op(std::size_t role) const {
    storage::RoleOp op;
    op.role = std::string(role_names[role]);
    op.owner = cast_->self;
    if (const auto& known = roles_[role]; known && is_orphaned(known->holder))
      op.seen = std::pair(known->holder, known->beat);
    return op;
  }

  // Its holder said goodbye, was called dead, or is in another life.
  bool is_orphaned(const storage::NodeLife& holder) const {
    if (nodes_.empty() || holder == cast_->self) return false;
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
    tell(cast_->clerk,
         WriteOps{std::move(ops), [self = weak(this)](Result<storage::Outcome> outcome) {
                    tell(self, RolesAnswered{std::move(outcome)});
                  }});
  }

  void roles_answered(const Result<storage::Outcome>& outcome) {
    if (!outcome) return;
    for (std::size_t role = 0; role < role_names.size(); ++role) {
      roles_[role] = outcome->roles[role];
      parts_.roles->set(role, roles_[role]->holder == cast_->self);
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
    cast_->readers->run([self = weak(this), me = cast_->self, clock = cast_->clock,
                         secrets = parts_.secrets](storage::Reader& reader) {
      const Millis began = clock->monotonic();
      auto nodes = reader.nodes();
      const Millis ended = clock->monotonic();
      tell(self,
           FleetSeen{began, ended, std::move(nodes), reader.orders(me), reader.docs("queue", ""),
                     reader.docs("pool", ""), reader.doc("worker", me.node.text()),
                     reader.counts(""), secrets->load(reader)});
    });
  }

  void look_for_orders() {
    cast_->readers->run([self = weak(this), me = cast_->self](storage::Reader& reader) {
      tell(self, OrdersSeen{reader.orders(me)});
    });
  }

  void hear(const std::vector<std::string>& names) {
    const std::string own = "orders:" + cast_->self.node.text();
    const std::string_view queue = "queue:";
    for (const std::string& name : names) {
      if (name == own) look_for_orders();
      if (name == "erased") tell_first(cast_->deleter, LookAtStore{true});
      if (name == "docs") look_now();
      if (name.starts_with(queue)) tell(cast_->clerk, LookAgain{name.substr(queue.size())});
    }
  }

  // By the Clerk, which knows of every claim that came before.
  void pass_on(const Result<storage::Orders>& orders) {
    if (!orders || (orders->holders.empty() && orders->wishes.empty())) return;
    tell_first(cast_->clerk, OrdersRead{*orders});
  }

  void fleet_seen(const FleetSeen& seen) {
    looking_ = false;
    if (leaving_) return;
    if (seen.nodes) watch(seen);
    pass_on(seen.orders);
    if (seen.queues && seen.pools) adopt(*seen.queues, *seen.pools);
    if (seen.told && *seen.told) obey(**seen.told);
    if (seen.counts) learn(*seen.counts);
    if (!seen.secrets && secrets_are_fine_) say(LogLevel::warning, to_string(seen.secrets.error()));
    secrets_are_fine_ = seen.secrets.ok();
    if (std::exchange(look_again_, false)) look_now();
  }

  void adopt(const std::vector<storage::Doc>& queues, const std::vector<storage::Doc>& pools) {
    const Steering::News news = parts_.steering->adopt(queues, pools);
    for (const QueueView& queue : news.queues)
      tell_first(cast_->clerk, SetQueue{queue.name, queue.pool, parts_.steering->weight(queue.name),
                                        queue.paused, queue.limits});
    for (const auto& [pool, capacity] : news.pools) tell(cast_->foreman, SetPool{pool, capacity});
  }

  // A queue that nobody here has heard of yet; from then on the Clerk looks at it by itself.
  void learn(const std::vector<storage::CountRow>& counts) {
    for (const storage::CountRow& row : counts)
      if (row.state == JobState::queued && row.n > 0 && queues_.insert(row.queue).second)
        tell(cast_->clerk, LookAgain{row.queue});
  }

  void obey(const storage::Doc& doc) {
    const NodeOrder order = order_in(doc, cast_->self);
    if (order <= obeyed_) return;
    obeyed_ = order;
    if (order == NodeOrder::stop && cast_->settings->end) {
      say(LogLevel::info, "told to stop");
      return cast_->settings->end();
    }
    say(LogLevel::info, "told to drain: this node takes nothing more");
    state_ = "draining";
    tell(cast_->foreman, DrainRuns{[self = weak(this)] { tell(self, DrainedByOrder{}); }, false});
    later(cast_->settings->drain_timeout, HandOver{});
  }

  // ---- the others ----
  void watch(const FleetSeen& seen) {
    nodes_ = *seen.nodes;
    std::vector<NodeBeat> living;
    for (const storage::NodeView& node : nodes_)
      if (!node.gone && !(node.owner == cast_->self))
        living.push_back({node.owner.node, node.owner.life, node.beat});
    for (const NodeBeat& dead : watch_.look(seen.began, seen.ended, living))
      if (cast_->lease->holds()) bury(dead);
    std::vector<FleetNode> shown;
    for (const storage::NodeView& node : nodes_)
      shown.push_back({node, watch_.still(node.owner.node)});
    cast_->fleet->write(std::move(shown));
    take_orphaned_roles();
  }

  void bury(const NodeBeat& dead) {
    const Instant at = cast_->clock->now();
    auto ops = std::make_shared<storage::Batch>();
    storage::BuryOp op;
    op.node = dead.node;
    op.below_life = dead.life + 1;
    op.verdict = Verdict::lease_expired;
    op.now = at;
    op.max_lost = cast_->settings->max_lost;
    op.failed_expires = at + cast_->settings->keep_failed;
    op.if_beat = dead.beat;
    ops->burials.push_back(op);
    tell(cast_->clerk, WriteOps{std::move(ops), [self = weak(this), node = dead.node](
                                                    Result<storage::Outcome> outcome) {
                                  tell(self, BurialAnswered{node, std::move(outcome)});
                                }});
  }

  void burial_answered(const BurialAnswered& answer) {
    if (!answer.outcome || !answer.outcome->burials.front().done) return;  // the next look decides
    const storage::BuryResult& result = answer.outcome->burials.front();
    say(LogLevel::warning, "called a node dead whose beat stood still for its lease",
        "\"worker_id\":\"" + answer.node.text() + "\",\"requeued\":" +
            std::to_string(result.requeued) + ",\"failed\":" + std::to_string(result.failed) +
            ",\"deletes_finished\":" + std::to_string(result.erased.size()));
  }

  RegistrarParts parts_;
  std::shared_ptr<Cast> cast_;
  LeaseTimes times_;
  Millis renewed_;  // the start of the last renewal that the store took
  Rung rung_ = Rung::working;
  Millis look_period_;
  BeatWatch watch_;
  std::vector<storage::NodeView> nodes_;
  std::array<std::optional<storage::RoleResult>, role_names.size()> roles_;
  std::set<std::string> queues_;  // that the Clerk was told of
  NodeOrder obeyed_ = NodeOrder::none;
  std::string state_ = "up";
  bool secrets_are_fine_ = true;
  bool looking_ = false, look_again_ = false, leaving_ = false;
};

}  // namespace

caf::actor spawn_registrar(caf::actor_system& system, RegistrarParts parts) {
  if (parts.cast->own_threads) return system.spawn<Registrar, caf::detached>(std::move(parts));
  return system.spawn<Registrar>(std::move(parts));
}

}  // namespace quell
