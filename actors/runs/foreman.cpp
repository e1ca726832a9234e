#include "actors/runs/foreman.hpp"

#include <caf/all.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "actors/control_actor.hpp"
#include "actors/runs/job_actor.hpp"
#include "actors/runs/run_supervisor.hpp"
#include "actors/send.hpp"

namespace quell {

namespace {

// Brings messages to the supervisor of runs, and its orders to the others.
class Foreman : public ControlActor, private RunPorts {
 public:
  Foreman(caf::actor_config& config, const ControlSeat& seat, std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat),
        context_(std::move(context)),
        runs_(std::in_place, context_, static_cast<RunPorts&>(*this)) {}

  caf::behavior make_behavior() override {
    set_down_handler([this](caf::down_msg& down) { runs_->run_down(down.source.id()); });
    trace(ProtocolStep::life, JobId{});
    return {
        [this](const LookAgain&) { runs_->offer_all(); },
        [this](ClaimedJobs& claimed) { runs_->start(claimed); },
        [this](const StopMarked& marked) { runs_->stop_marked(marked); },
        [this](const CancelRun& cancel) { runs_->cancel(cancel); },
        [this](const FinishesWritten& written) { runs_->finishes_written(written); },
        [this](const VerdictsWritten& written) { runs_->verdicts_written(written); },
        [this](const PermitsBack& back) { runs_->permits_back(back); },
        [this](RunEnded& end) { runs_->run_ended(std::move(end)); },
        [this](const SetPool& set) { runs_->resize(set.pool, set.capacity); },
        [](const WhenShown& shown) { shown.then(); },
        [this](const TellRuns& asked) { asked.then(runs_->jobs()); },
        [this](const ForcedRun& forced) { runs_->force(forced); },
        [this](CheckDeadlines) { check_deadlines(); },
        [this](DrainRuns& drain) { runs_->drain(std::move(drain)); },
        [this](const CensusTaken& census) { runs_->compare(census); },
        [this](const RunsCounted& counted) { runs_->compare(counted); },
        [this](const StopRuns& stop) { runs_->stop_all(stop.cause); },
        [this](FlushNow) { runs_->flush(); },
    };
  }

  void on_exit() override {
    if (deadline_timer_) context_->timers->cancel(*deadline_timer_);
    runs_.reset();
    actors_.clear();
    context_.reset();
  }

 private:
  void check_deadlines() {
    deadline_timer_.reset();
    runs_->check_deadlines();
  }

  // ---- RunPorts ----
  RunNumber begin(storage::ClaimedJob job, const Kind& kind) override {
    auto actor = spawn_job_actor(system(), context_, std::move(job), kind);
    monitor(actor);
    tell(actor, StartRun{});
    const RunNumber number = actor.id();
    actors_.emplace(number, std::move(actor));
    return number;
  }
  void stop(RunNumber run, StopCause cause) override {
    if (const auto at = actors_.find(run); at != actors_.end())
      tell_first(at->second, StopRun{cause});
  }
  void let_go(RunNumber run) override { actors_.erase(run); }

  void write(WriteEnds ends) override { tell(context_->clerk, std::move(ends)); }
  void recall(const std::string& pool, int permits) override {
    tell(context_->clerk, RecallPermits{pool, permits});
  }
  void take_census() override { tell(context_->clerk, TakeCensus{}); }
  void say_stuck(const JobId& job) override { tell(context_->deleter, RunStuck{job}); }

  void wake_in(Millis time) override {
    if (deadline_timer_) context_->timers->cancel(*deadline_timer_);
    deadline_timer_ =
        context_->timers->after(time, [self = weak(this)] { tell(self, CheckDeadlines{}); });
  }
  void flush_later() override { send(this, FlushNow{}); }

  std::shared_ptr<NodeContext> context_;
  std::unordered_map<RunNumber, caf::actor> actors_;  // the handles that keep them alive
  std::optional<Timers::Id> deadline_timer_;
  std::optional<RunSupervisor> runs_;
};

}  // namespace

caf::actor spawn_foreman(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<Foreman>(system, ControlPlace::foreman, *context, context);
}

}  // namespace quell
