#include "actors/writes/clerk.hpp"

#include <caf/all.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "actors/control_actor.hpp"
#include "actors/schedules/schedule_messages.hpp"
#include "actors/send.hpp"
#include "actors/writes/write_worker.hpp"

namespace quell {

namespace {

// Brings messages to the group commit, and its words to the others.
class Clerk : public ControlActor, private CommitPorts {
 public:
  Clerk(caf::actor_config& config, const ControlSeat& seat, std::shared_ptr<ClerkParts> parts)
      : ControlActor(config, seat), context_(parts->context) {
    if (parts->writers.size() > 1)
      for (const auto& writer : parts->writers)
        workers_.push_back(spawn_write_worker(system(), writer, *context_));
    commits_.emplace(std::move(*parts), static_cast<CommitPorts&>(*this));
  }

  caf::behavior make_behavior() override {
    commits_->begin();
    return {
        [this](WriteOps& work) { commits_->write(std::move(work)); },
        [this](WriteEnds& down) { commits_->runs_down(std::move(down)); },
        [this](DeliveriesDown& down) { commits_->deliveries_down(std::move(down)); },
        [this](MarkJobs& work) { commits_->mark(std::move(work)); },
        [this](const SetQueue& set) { commits_->set_queue(set); },
        [this](const LookAgain& look) { commits_->look_again(look.queue); },
        [this](const RecallPermits& recall) { commits_->recall_permits(recall); },
        [this](LookAtLimits) { commits_->look_at_limits(); },
        [this](const OrdersRead& read) { commits_->pass_on(read.orders); },
        [this](TakeCensus) { commits_->want_census(); },
        [this](FlushNow) { commits_->commit(); },
        [this](BatchApplied& applied) { commits_->applied_alongside(applied); },
        [this](DueNow) { commits_->due(); },
        [this](StoreUpkeep) { commits_->upkeep(); },
    };
  }

  void on_exit() override {
    if (due_timer_) context_->timers->cancel(*due_timer_);
    for (const caf::actor& worker : workers_)
      caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
    workers_.clear();
    commits_.reset();
    context_.reset();
  }

 private:
  template <class Word>
  static void pass(const caf::actor& to, Word& word) {
    std::visit([&to](auto& message) { tell(to, std::move(message)); }, word);
  }

  template <class Message>
  Timers::Id remind(Millis time, Message message) {
    return context_->timers->after(time, [self = weak(this), message] { tell(self, message); });
  }

  // ---- CommitPorts ----
  void tell_foreman(ToForeman word) override { pass(context_->foreman, word); }
  void tell_courier(ToCourier word) override { pass(context_->courier, word); }
  void tell_deleter(ToDeleter word) override { pass(context_->deleter, word); }
  void look_at_schedules() override { tell(context_->timekeeper, LookAtSchedules{}); }
  void look_at_tasks() override { tell(context_->task_eraser, LookAtTasks{}); }
  void apply(std::size_t writer, std::shared_ptr<const storage::Batch> batch) override {
    tell(workers_.at(writer), ApplyBatch{writer, std::move(batch), weak(this)});
  }

  void flush_later() override { send(this, FlushNow{}); }
  void flush_in(Millis time) override { remind(time, FlushNow{}); }
  void look_at_limits_in(Millis time) override { remind(time, LookAtLimits{}); }
  void due_in(Millis time) override {
    if (due_timer_) context_->timers->cancel(*due_timer_);
    due_timer_ = remind(time, DueNow{});
  }
  void upkeep_in(Millis time) override { remind(time, StoreUpkeep{}); }

  std::shared_ptr<NodeContext> context_;
  std::vector<caf::actor> workers_;  // of the connections, where there are several
  std::optional<Timers::Id> due_timer_;
  std::optional<GroupCommit> commits_;
};

}  // namespace

caf::actor spawn_clerk(caf::actor_system& system, ClerkParts parts) {
  const std::shared_ptr<NodeContext> context = parts.context;
  auto shared = std::make_shared<ClerkParts>(std::move(parts));
  return spawn_control<Clerk>(system, ControlPlace::clerk, *context, shared);
}

}  // namespace quell
