#include "actors/janitor.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "actors/reader_pool.hpp"
#include "actors/roles.hpp"
#include "actors/send.hpp"
#include "runtime/failpoint.hpp"

namespace quell {

namespace {

constexpr int sweep_max = 500;
constexpr Millis patience_first{1'000}, patience_last{300'000};

class Janitor : public caf::event_based_actor {
 public:
  Janitor(caf::actor_config& config, std::shared_ptr<Cast> cast)
      : caf::event_based_actor(config), cast_(std::move(cast)) {}

  const char* name() const override { return "janitor"; }

  caf::behavior make_behavior() override {
    set_default_handler(caf::print_and_drop);
    sweep_later();
    return {
        [this](SweepTickets) { sweep(); },
        [this](TicketsDue& due) {
          if (due.tickets && !fails_here(Failpoint::sweep_before))
            for (const storage::TicketView& ticket : *due.tickets) ask_again(ticket);
          sweep_later();
        },
    };
  }

  void on_exit() override {
    if (timer_) cast_->timers->cancel(*timer_);
    cast_.reset();
  }

 private:
  void sweep_later() {
    timer_ = cast_->timers->after(cast_->settings->janitor_period,
                                  [self = weak(this)] { tell(self, SweepTickets{}); });
  }

  void sweep() {
    // In a fleet one node counts the tries; each answers for its own holders by its orders.
    if (!cast_->roles->leads(Role::janitor)) return sweep_later();
    cast_->readers->run([self = weak(this), now = cast_->clock->now()](storage::Reader& reader) {
      tell(self, TicketsDue{reader.tickets(std::nullopt, true, now, sweep_max)});
    });
  }

  void ask_again(const storage::TicketView& ticket) {
    if (ticket.state != JobState::pending_delete || ticket.forced) return;
    MarkedJobs again;
    for (const storage::Holder& holder : ticket.open)
      if (holder.what == storage::HolderKind::run && holder.owner == cast_->self)
        again.runs.push_back({ticket.job, holder.epoch, ticket.delete_id});
    if (!again.runs.empty()) tell(cast_->foreman, std::move(again));
    MarkedDeliveries deliveries;
    for (const storage::Holder& holder : ticket.open)
      if (holder.what == storage::HolderKind::delivery && holder.owner == cast_->self)
        deliveries.all.push_back({ticket.job, holder.ref});
    if (!deliveries.all.empty()) tell(cast_->courier, std::move(deliveries));

    const bool enough = ticket.tries + 1 >= cast_->settings->delete_tries;
    storage::TicketOp op;
    op.job = ticket.job;
    if (enough) op.event = JobEvent::fail_delete;
    op.error = "the holder has not answered after " + std::to_string(ticket.tries + 1) + " tries";
    const int doublings = std::min(ticket.tries, 20);
    op.next_try = cast_->clock->now() + std::min(patience_first * (1 << doublings), patience_last);
    auto ops = std::make_shared<storage::Batch>();
    ops->tickets.push_back(std::move(op));
    tell(cast_->clerk, WriteOps{std::move(ops), {}});
  }

  std::shared_ptr<Cast> cast_;
  std::optional<Timers::Id> timer_;
};

}  // namespace

caf::actor spawn_janitor(caf::actor_system& system, std::shared_ptr<Cast> cast) {
  if (cast->own_threads) return system.spawn<Janitor, caf::detached>(std::move(cast));
  return system.spawn<Janitor>(std::move(cast));
}

}  // namespace quell
