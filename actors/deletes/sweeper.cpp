#include "actors/deletes/sweeper.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <deque>

#include "actors/control_actor.hpp"
#include "actors/deletes/sweep_messages.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/roles.hpp"
#include "actors/send.hpp"
#include "runtime/law/deletion_guard.hpp"

namespace quell {

namespace {

constexpr int slice_max = 200, copies_max = 500;
constexpr int count_max = 1'000'000;  // of what is due, for a person; a timer asks for less
// A slice takes its time of the store once, and leaves it to others nine times as long.
constexpr int rest_factor = 9;
constexpr Millis rest_least{1}, busy_wait{20};
constexpr int busy_waits_max = 50;
constexpr Millis slice_wait{2'000};

class Sweeper : public ControlActor {
 public:
  Sweeper(caf::actor_config& config, const ControlSeat& seat, std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat), context_(std::move(context)) {}

  caf::behavior make_behavior() override {
    sweep_later();
    return {
        [this](SweepExpired) { by_timer(); },
        [this](RunRetention& asked) { by_person(std::move(asked)); },
        [this](const ExpiriesSeen& seen) { expiries_seen(seen.report); },
        [this](const ExpiredSeen& seen) { expired_seen(seen.jobs); },
        [this](const EndsWritten& ends) { ends_written(ends.outcome); },
        [this](const SliceErased& slice) { slice_erased(slice.report); },
        [this](SweepOn) { go_on(); },
        [this](SweepWait wait) {
          if (wait.run == last_) answer();
        },
    };
  }

  void on_exit() override {
    if (timer_) context_->timers->cancel(*timer_);
    context_.reset();
  }

 private:
  enum class Step : std::uint8_t { copies, results, records, done };
  struct Run {
    RunRetention asked;
    PurgeCause cause = PurgeCause::timer;
    RetentionReport report;
    Step step = Step::copies;
    std::uint64_t records_left = 0, results_left = 0;
    Millis slice_began{0};
    int busy_waits = 0;
  };

  void sweep_later() {
    timer_ = context_->timers->after(context_->settings->retention_every,
                                     [self = weak(this)] { tell(self, SweepExpired{}); });
  }

  template <class Message>
  void later(Millis delay, Message message) {
    context_->timers->after(delay, [self = weak(this), message] { tell(self, message); });
  }

  bool leads() const { return context_->roles->leads(Role::timekeeper); }

  // ---- the beginning of a run ----
  void by_timer() {
    sweep_later();
    if (run_ || !leads()) return;
    begin({{.who = "retention"}, {}}, PurgeCause::timer);
  }

  void by_person(RunRetention asked) {
    if (run_) return waiting_.push_back(std::move(asked));
    begin(std::move(asked), PurgeCause::person);
  }

  void begin(RunRetention asked, PurgeCause cause) {
    run_.emplace();
    ++last_;
    run_->asked = std::move(asked);
    run_->cause = cause;
    if (cause == PurgeCause::person) later(run_->asked.run.wait, SweepWait{last_});
    const int limit =
        cause == PurgeCause::person ? count_max : context_->settings->retention_most + 1;
    context_->readers->run([self = weak(this), limit, now = context_->clock->now(),
                            protection = context_->protection](storage::Reader& reader) {
      tell(self, ExpiriesSeen{reader.expiries(now, limit, protection)});
    });
  }

  void expiries_seen(const Result<storage::ExpiryReport>& seen) {
    if (!seen) return fail(seen.error());
    RetentionReport& report = run_->report;
    for (const storage::ExpiryRow& row : seen->records)
      report.due += static_cast<std::uint64_t>(row.n.due);
    report.results_due = static_cast<std::uint64_t>(seen->results.due);
    report.copies_due = static_cast<std::uint64_t>(seen->copies.due);
    report.due_is_partial = seen->is_partial;
    plan();
    go_on();
  }

  // How much this run may take of results and records; of copies all, whose end was said before.
  void plan() {
    const std::string refusal = refused();
    const PurgeRules rules{context_->settings->retention_sweep,
                           static_cast<std::uint64_t>(context_->settings->retention_most)};
    const auto& confirm = run_->asked.run.confirm;
    const auto take = [&](std::uint64_t due) {
      const PurgePlan plan = plan_purge(rules, run_->cause, due, confirm.has_value());
      run_->report.confirmation_needed |= plan.confirmation_needed;
      return confirm ? std::min(plan.take, *confirm) : plan.take;
    };
    run_->records_left = take(run_->report.due);
    run_->results_left = take(run_->report.results_due);
    if (refusal.empty()) return;
    run_->report.stopped = refusal;
    run_->records_left = run_->results_left = 0;
  }

  // A freeze, or dry-run mode, that began since; "" when records may go.
  std::string refused() {
    const DeletionOrigin origin =
        run_->cause == PurgeCause::timer ? DeletionOrigin::retention : DeletionOrigin::purge;
    const RetentionRun& asked = run_->asked.run;
    const auto permit =
        admit_deletion(context_->deletion_rules(),
                       {.origin = origin, .confirm = asked.confirmed, .dry_run = asked.dry_run});
    if (!permit) return std::string(info(permit.error().code).wire);
    run_->report.dry_run = *permit == DeletionPermit::would_delete;
    return run_->report.dry_run ? "dry-run" : "";
  }

  // ---- slice after slice ----
  void go_on() {
    if (!run_) return;
    // Whoever steers goes first, but nobody can keep the sweep waiting for ever.
    if (context_->metrics->clerk_queue.load(std::memory_order_relaxed) > 0 &&
        ++run_->busy_waits <= busy_waits_max)
      return later(busy_wait, SweepOn{});
    run_->busy_waits = 0;
    run_->slice_began = context_->timers->now();
    if (run_->cause == PurgeCause::timer && !leads()) return end("another node leads");
    if (run_->step == Step::copies && run_->report.copies_due > 0 && !run_->asked.run.dry_run)
      return end_some(storage::ExpireOp::What::copies, copies_max);
    if (run_->step == Step::copies) run_->step = Step::results;
    if (run_->step != Step::done && run_->report.stopped.empty())
      if (const std::string refusal = refused(); !refusal.empty()) return end(refusal);
    if (run_->step == Step::results && run_->results_left > 0)
      return end_some(storage::ExpireOp::What::results, slice(run_->results_left));
    if (run_->step == Step::results) run_->step = Step::records;
    if (run_->step == Step::records && run_->records_left > 0) return read_slice();
    end(run_->report.stopped);
  }

  static int slice(std::uint64_t left) {
    return static_cast<int>(std::min<std::uint64_t>(left, slice_max));
  }

  void end_some(storage::ExpireOp::What what, int limit) {
    auto ops = std::make_shared<storage::Batch>();
    storage::ExpireOp& op = ops->expiries.emplace_back();
    op.what = what;
    op.now = context_->clock->now();
    op.who = run_->asked.run.who;
    op.sweep = context_->ids->next();
    op.limit = limit;
    op.protection = context_->protection;
    tell(context_->clerk,
         WriteOps{std::move(ops), [self = weak(this)](Result<storage::Outcome> outcome) {
                    tell(self, EndsWritten{std::move(outcome)});
                  }});
  }

  void ends_written(const Result<storage::Outcome>& outcome) {
    if (!outcome) return fail(outcome.error());
    const storage::ExpireResult& result = outcome->expiries.front();
    const auto ended = static_cast<std::uint64_t>(result.ended);
    if (run_->step == Step::copies) {
      run_->report.copies_ended += ended;
      if (!result.more) run_->step = Step::results;
    } else {
      run_->report.results_ended += ended;
      run_->results_left -= std::min(run_->results_left, ended);
      if (!result.more) run_->step = Step::records;
    }
    rest();
  }

  void read_slice() {
    context_->readers->run([self = weak(this), limit = slice(run_->records_left),
                            kept = context_->protection,
                            now = context_->clock->now()](storage::Reader& reader) {
      tell(self, ExpiredSeen{reader.expired(now, limit, kept)});
    });
  }

  void expired_seen(const Result<std::vector<JobId>>& jobs) {
    if (!jobs) return fail(jobs.error());
    if (jobs->empty()) return end({});
    DeleteRequest request;
    request.jobs = *jobs;
    request.who = run_->asked.run.who;
    request.reason = "expired";
    request.path = "retention";
    request.origin = DeletionOrigin::retention;
    request.keep_copy = Millis{0};
    request.keep_receipt = false;
    request.wait = slice_wait;
    tell(context_->deleter, EraseJobs{std::move(request), [self = weak(this)](auto report) {
                                        tell(self, SliceErased{std::move(report)});
                                      }});
  }

  void slice_erased(const Result<DeleteReport>& report) {
    if (!run_) return;
    if (!report) return fail(report.error());
    const std::uint64_t gone = report->counts.deleted + report->counts.pending;
    run_->report.deleted += report->counts.deleted;
    run_->report.failed += report->counts.failed;
    run_->records_left -= std::min<std::uint64_t>(run_->records_left, report->outcomes.size());
    // What another took meanwhile is no progress of ours, and the same rows are found again.
    if (gone == 0) return end("nothing more could be taken");
    rest();
  }

  void rest() {
    const Millis took = context_->timers->now() - run_->slice_began;
    later(std::max(took * rest_factor, rest_least), SweepOn{});
  }

  // ---- the end ----
  void end(const std::string& stopped) {
    run_->report.complete = true;
    run_->report.stopped = stopped;
    run_->step = Step::done;
    answer();
    run_.reset();
    if (waiting_.empty()) return;
    RunRetention next = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(next), PurgeCause::person);
  }

  void answer() {
    if (!run_ || !run_->asked.answer) return;
    std::exchange(run_->asked.answer, nullptr)(run_->report);
  }

  void fail(const Error& error) {
    if (!run_) return;
    if (run_->asked.answer) std::exchange(run_->asked.answer, nullptr)(error);
    end(std::string(info(error.code).wire));
  }

  std::shared_ptr<NodeContext> context_;
  std::optional<Timers::Id> timer_;
  std::optional<Run> run_;
  std::uint64_t last_ = 0;  // run
  std::deque<RunRetention> waiting_;
};

}  // namespace

caf::actor spawn_sweeper(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<Sweeper>(system, ControlPlace::sweeper, *context, context);
}

}  // namespace quell
