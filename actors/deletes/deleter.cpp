#include "actors/deletes/deleter.hpp"

#include <caf/all.hpp>
#include <optional>
#include <utility>

#include "actors/control_actor.hpp"
#include "actors/deletes/delete_supervisor.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/send.hpp"

namespace quell {

namespace {

// Brings messages to the supervisor of deletes, and its orders to the others.
class Deleter : public ControlActor, private DeletePorts {
 public:
  Deleter(caf::actor_config& config, const ControlSeat& seat, std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat),
        context_(std::move(context)),
        deletes_(std::in_place, context_, static_cast<DeletePorts&>(*this)) {}

  caf::behavior make_behavior() override {
    return {
        [this](EraseJobs& erase) { deletes_->begin(std::move(erase)); },
        [this](RetryDelete& retry) { deletes_->retry(std::move(retry)); },
        [this](ForceDelete& force) { deletes_->force(std::move(force)); },
        [this](const SliceMarked& marked) { deletes_->marked(marked); },
        [this](const JobsVerdict& verdicts) {
          for (const JobVerdict& verdict : verdicts.verdicts) deletes_->verdict(verdict);
        },
        [this](MarkAgain again) { deletes_->mark_again(again); },
        [this](const RunStuck& stuck) { deletes_->run_stuck(stuck.job); },
        [this](WaitOver over) { deletes_->wait_over(over.call); },
        [this](MarkOverdue overdue) { deletes_->mark_overdue(overdue.call); },
        [this](const ReadFenced& fenced) { deletes_->read_fenced(fenced); },
        [this](TicketsRead& read) { deletes_->tickets_read(read); },
        [this](TicketsForced& forced) { deletes_->tickets_forced(forced); },
        [this](const StatesRead& read) { deletes_->states_read(read); },
        [this](LookAtStore look) { deletes_->look_at_store(look.hinted); },
    };
  }

  void on_exit() override {
    deletes_->close();
    deletes_.reset();
    context_.reset();
  }

 private:
  // ---- DeletePorts ----
  void mark(MarkJobs mark) override { tell_first(context_->clerk, std::move(mark)); }
  void write(std::shared_ptr<storage::Batch> ops) override {
    tell(context_->clerk, WriteOps{std::move(ops), {}});
  }
  void write_first(std::shared_ptr<storage::Batch> ops) override {
    tell_first(context_->clerk, WriteOps{std::move(ops), {}});
  }
  void pass_on(storage::Orders orders) override {
    tell_first(context_->clerk, OrdersRead{std::move(orders)});
  }

  void fence(std::shared_ptr<storage::Batch> ops, std::vector<storage::Tombstone> read) override {
    auto fenced = [self = weak(this),
                   read = std::move(read)](const Result<storage::Outcome>& outcome) mutable {
      if (outcome)
        tell(self, ReadFenced{std::move(read), outcome->durability});
      else
        tell(self, ReadFenced{{}, outcome.error()});
    };
    tell_first(context_->clerk, WriteOps{std::move(ops), std::move(fenced)});
  }
  void force(CallNumber call, std::shared_ptr<storage::Batch> ops) override {
    auto forced = [self = weak(this), call](Result<storage::Outcome> outcome) {
      tell(self, TicketsForced{call, std::move(outcome)});
    };
    tell_first(context_->clerk, WriteOps{std::move(ops), std::move(forced)});
  }

  void read_states(CallNumber call, std::vector<JobId> jobs) override {
    context_->readers->run(
        [self = weak(this), call, jobs = std::move(jobs)](storage::Reader& reader) {
          tell(self, StatesRead{call, reader.get(jobs, false)});
        });
  }
  void read_tickets(const DeleteId& id, Instant now, std::shared_ptr<const RetryDelete> retry,
                    std::shared_ptr<const ForceDelete> force) override {
    context_->readers->run([self = weak(this), retry = std::move(retry), force = std::move(force),
                            id, now](storage::Reader& reader) {
      tell(self, TicketsRead{retry, force, reader.tickets(id, false, now, 100'000)});
    });
  }

  Timers::Id remind(Millis time, Reminder of) override {
    return context_->timers->after(time, [self = weak(this), of] {
      std::visit([&self](const auto& reminder) { tell(self, reminder); }, of);
    });
  }
  void forget(const Timers::Id& reminder) override { context_->timers->cancel(reminder); }

  std::shared_ptr<NodeContext> context_;
  std::optional<DeleteSupervisor> deletes_;
};

}  // namespace

caf::actor spawn_deleter(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<Deleter>(system, ControlPlace::deleter, *context, context);
}

}  // namespace quell
