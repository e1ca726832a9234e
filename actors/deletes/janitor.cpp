#include "actors/deletes/janitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <caf/all.hpp>

#include "actors/control_actor.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/roles.hpp"
#include "actors/send.hpp"
#include "runtime/base/failpoint.hpp"

namespace quell {

namespace {

constexpr int sweep_max = 500;
constexpr Millis patience_last{300'000};

class Janitor : public ControlActor {
 public:
  Janitor(caf::actor_config& config, const ControlSeat& seat, std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat), context_(std::move(context)) {}

  caf::behavior make_behavior() override {
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
    if (timer_) context_->timers->cancel(*timer_);
    context_.reset();
  }

 private:
  void sweep_later() {
    timer_ = context_->timers->after(context_->settings->poll,
                                     [self = weak(this)] { tell(self, SweepTickets{}); });
  }

  void sweep() {
    // In a fleet one node counts the tries; each answers for its own holders by its orders.
    if (!context_->roles->leads(Role::janitor)) return sweep_later();
    context_->readers->run(
        [self = weak(this), now = context_->clock->now()](storage::Reader& reader) {
          tell(self, TicketsDue{reader.tickets(std::nullopt, true, now, sweep_max)});
        });
  }

  void ask_again(const storage::TicketView& ticket) {
    if (ticket.state != JobState::pending_delete || ticket.forced) return;
    storage::Orders again;
    for (const storage::Holder& holder : ticket.open)
      if (holder.owner == context_->self) again.holders.emplace_back(ticket.job, holder);
    // By the Clerk: what a reader has seen may be ahead of what its commits have told.
    if (!again.holders.empty()) tell(context_->clerk, OrdersRead{std::move(again)});

    const bool enough = ticket.tries + 1 >= context_->settings->delete_tries;
    storage::TicketOp op;
    op.job = ticket.job;
    if (enough) op.event = JobEvent::fail_delete;
    op.error = fmt::format("the holder has not answered after {} {}", ticket.tries + 1,
                           ticket.tries == 0 ? "try" : "tries");
    const int doublings = std::min(ticket.tries, 20);
    op.next_try = context_->clock->now() +
                  std::min(context_->settings->delete_retry * (1 << doublings), patience_last);
    auto ops = std::make_shared<storage::Batch>();
    ops->tickets.push_back(std::move(op));
    tell(context_->clerk, WriteOps{std::move(ops), {}});
  }

  std::shared_ptr<NodeContext> context_;
  std::optional<Timers::Id> timer_;
};

}  // namespace

caf::actor spawn_janitor(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<Janitor>(system, ControlPlace::janitor, *context, context);
}

}  // namespace quell
