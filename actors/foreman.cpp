#include "actors/foreman.hpp"

#include <caf/all.hpp>
#include <random>
#include <set>
#include <unordered_set>

#include "actors/job_actor.hpp"
#include "actors/lease.hpp"
#include "actors/outbox.hpp"
#include "actors/pending_batch.hpp"
#include "actors/pool_board.hpp"
#include "actors/run_end.hpp"
#include "actors/run_table.hpp"
#include "actors/send.hpp"
#include "runtime/failpoint.hpp"

namespace quell {

namespace {

constexpr std::size_t slice_max = alongside_max;

class Foreman : public caf::event_based_actor {
 public:
  Foreman(caf::actor_config& config, std::shared_ptr<Cast> cast)
      : caf::event_based_actor(config), cast_(std::move(cast)), random_(std::random_device{}()) {
    for (const auto& [name, capacity] : cast_->settings->pools)
      ledgers_.emplace(name, SlotLedger(static_cast<SlotLedger::Count>(capacity)));
  }

  const char* name() const override { return "foreman"; }

  caf::behavior make_behavior() override {
    set_default_handler(caf::print_and_drop);
    set_down_handler([this](caf::down_msg& down) { run_down(down.source.id()); });
    for (const auto& [pool, ledger] : ledgers_) show(pool);
    return {
        [this](const LookAgain&) { offer_all(); },
        [this](ClaimedJobs& claimed) { start(claimed); },
        [this](MarkedJobs& marked) {
          for (const MarkedRun& run : marked.runs) {
            if (is_answered(run)) continue;
            if (marked.from_elsewhere) elsewhere_.insert(run.job);
            answer_mark(run);
          }
        },
        [this](const CancelRun& cancel) { this->cancel(cancel); },
        [this](const FinishesWritten& written) { finishes_written(written); },
        [this](const VerdictsWritten& written) { verdicts_written(written); },
        [this](const PermitsBack& back) { permits_back(back); },
        [this](RunEnded& end) { run_ended(std::move(end)); },
        [this](const SetPool& set) { resize(set.pool, set.capacity); },
        [this](const ForcedRun& forced) { force(forced); },
        [this](CheckDeadlines) { check_deadlines(); },
        [this](DrainRuns& drain) { this->drain(std::move(drain)); },
        [this](const CensusTaken& census) { compare(census); },
        [this](const RunsCounted& counted) { compare(counted); },
        [this](const StopRuns& stop) { stop_all(stop.cause); },
        [this](FlushNow) { flush(); },
    };
  }

  void on_exit() override {
    if (deadline_timer_) cast_->timers->cancel(*deadline_timer_);
    cast_.reset();
  }

 private:
  // ---- capacity ----
  void offer(const std::string& pool) {
    if (draining_ || !cast_->settings->take_work) return;
    const auto taken = ledgers_.at(pool).take(std::numeric_limits<SlotLedger::Count>::max());
    if (taken > 0) out_permits_[pool] += static_cast<int>(taken);
    flush_soon();
  }

  void offer_all() {
    for (const auto& [pool, ledger] : ledgers_) offer(pool);
  }

  // The one place where capacity comes back: every end of every run passes here, once.
  void release(const Run& run) {
    ledgers_.at(*run.pool).give_back(run.key);
    cast_->figures->runs -= 1;
    if (run.phase == RunPhase::stuck) cast_->figures->runs_stuck -= 1;
    offer(*run.pool);
    fails_here(Failpoint::release_after);
  }

  void permits_back(const PermitsBack& back) {
    ledgers_.at(back.pool).return_offered(static_cast<SlotLedger::Count>(back.count));
    show(back.pool);
    offer(back.pool);  // after a shrink there is less to offer, not nothing
    finish_drain();
  }

  // Permits standing at the Clerk come back, or a shrunken pool would still be claimed for. Those
  // not yet sent never leave.
  void recall(const std::string& pool, SlotLedger& ledger) {
    const int unsent = std::exchange(out_permits_[pool], 0);
    ledger.return_offered(static_cast<SlotLedger::Count>(unsent));
    if (ledger.offered() > 0)
      tell(cast_->clerk, RecallPermits{pool, static_cast<int>(ledger.offered())});
  }

  void resize(const std::string& pool, int capacity) {
    auto& ledger = ledgers_.try_emplace(pool, SlotLedger(0)).first->second;
    ledger.resize(static_cast<SlotLedger::Count>(capacity));
    recall(pool, ledger);
    show(pool);
    offer(pool);
  }

  void show(const std::string& pool) {
    const SlotLedger& ledger = ledgers_.at(pool);
    PoolView view;
    view.name = pool;
    view.capacity = static_cast<int>(ledger.capacity());
    view.used = static_cast<int>(ledger.used() - ledger.offered());
    view.stuck = static_cast<int>(ledger.stuck());
    view.free = std::max(0, view.capacity - view.used - view.stuck);
    cast_->pools->write(std::move(view));
  }

  // ---- starting ----
  void start(ClaimedJobs& claimed) {
    const auto ledger = ledgers_.find(claimed.pool);
    QUELL_ASSERT(ledger != ledgers_.end());
    const std::string& queue = *queues_.insert(claimed.queue).first;
    for (storage::ClaimedJob& job : claimed.jobs)
      start_one(ledger->first, queue, ledger->second, job);
    show(claimed.pool);
  }

  void start_one(const std::string& pool, const std::string& queue, SlotLedger& ledger,
                 storage::ClaimedJob& job) {
    const SlotKey key{job.job, job.epoch};
    ledger.bind(key);
    cast_->figures->runs += 1;
    Run& run = runs_.add({.key = key,
                          .pool = &pool,
                          .queue = &queue,
                          .attempt = job.attempt,
                          .lost = job.lost,
                          .project = job.project,
                          .options = job.options,
                          .started = cast_->clock->now()});
    if (const auto fence = fences_.find(job.job);
        fence != fences_.end() && key.epoch <= fence->second)
      return drop_start(run, Verdict::not_started);
    if (draining_ || !cast_->lease->holds())
      return finish(run, ended(run, AttemptOutcome::handed_over));
    const Kind* kind = cast_->registry->find(job.kind);
    if (kind == nullptr) {
      RunEnded end = ended(run, AttemptOutcome::refused);
      end.error =
          R"({"code":"unknown-kind","detail":"this node has no handler for the job's kind"})";
      return finish(run, end);
    }
    auto actor = spawn_job_actor(system(), cast_, std::move(job), *kind);
    monitor(actor);
    tell(actor, StartRun{});
    runs_.bind_actor(run, std::move(actor));
    run.phase = RunPhase::running;
    set_deadline(run, timeout_of(run));
  }

  static RunEnded ended(const Run& run, AttemptOutcome outcome) {
    RunEnded end{.job = run.key.job, .epoch = static_cast<int>(run.key.epoch)};
    end.outcome = outcome;
    return end;
  }

  // The attempt's own time, cut short by the deadline of all attempts.
  Millis timeout_of(const Run& run) const {
    if (run.options.empty()) return JobOptions{}.timeout;
    const JobOptions options = options_from_json(run.options);
    if (!options.deadline) return options.timeout;
    return std::min(options.timeout, std::max(Millis{0}, *options.deadline - run.started));
  }

  // ---- stopping ----
  // A beat lists what is open in the store, also where our word is on its way.
  bool is_answered(const MarkedRun& marked) {
    return unwritten_verdicts_.contains(marked.job) &&
           runs_.find({marked.job, marked.epoch}) == nullptr;
  }

  void answer_mark(const MarkedRun& marked) {
    auto& fence = fences_[marked.job];
    fence = std::max<std::int64_t>(fence, marked.epoch);
    const SlotKey key{marked.job, marked.epoch};
    Run* run = runs_.find(key);
    const StopAnswer answer = answer_to_mark(run != nullptr ? run->phase : RunPhase::unknown);
    if (run != nullptr) runs_.mark(*run);
    if (answer.drop_start) return drop_start(*run, *answer.verdict);
    if (answer.send_stop) return stop(*run, StopCause::deleted);
    if (*answer.verdict == Verdict::stuck) {
      if (run->cause != StopCause::deleted) hurry(*run);
      return tell(cast_->deleter, RunStuck{marked.job});
    }
    say(key, *answer.verdict, {});
  }

  // Stuck under a gentle stop: a delete knows no grace.
  void hurry(Run& run) {
    run.cause = StopCause::deleted;
    tell_first(run.actor, StopRun{StopCause::deleted});
  }

  void drop_start(Run& run, Verdict verdict) {
    const SlotKey key = run.key;
    release(run);
    RunDown down;
    down.slots_freed = 0;  // it was never used
    say(key, verdict, std::move(down));
    runs_.remove(key);
  }

  void cancel(const CancelRun& cancel) {
    Run* run = runs_.find({cancel.job, cancel.epoch});
    if (run != nullptr && (run->phase == RunPhase::running || run->phase == RunPhase::stopping))
      stop(*run, StopCause::cancelled);
  }

  void stop(Run& run, StopCause cause) {
    const bool first = run.phase == RunPhase::running;
    const StopCause now = run.cause ? stronger(*run.cause, cause) : cause;
    if (!first && run.cause == now) return;
    run.cause = now;
    run.phase = RunPhase::stopping;
    if (!fails_here(Failpoint::stop_before)) tell_first(run.actor, StopRun{now});
    if (first || now == StopCause::deleted) set_deadline(run, cast_->settings->stop_deadline);
  }

  void force(const ForcedRun& forced) {
    Run* run = runs_.find({forced.job, forced.epoch});
    if (run == nullptr) return say({forced.job, forced.epoch}, Verdict::not_running, {});
    runs_.mark(*run);
    if (run->phase == RunPhase::running) stop(*run, StopCause::deleted);
    if (run->phase == RunPhase::stopping) make_stuck(*run);
  }

  void make_stuck(Run& run) {
    run.phase = RunPhase::stuck;
    ledgers_.at(*run.pool).mark_stuck(run.key);
    cast_->figures->runs_stuck += 1;
    show(*run.pool);
    if (run.marked) tell(cast_->deleter, RunStuck{run.key.job});
  }

  // ---- ending ----
  void run_ended(RunEnded end) {
    Run* run = runs_.find({end.job, end.epoch});
    QUELL_ASSERT(run != nullptr);
    run->end = std::make_unique<RunEnded>(std::move(end));
  }

  void run_down(caf::actor_id actor) {
    Run* run = runs_.find_actor(actor);
    QUELL_ASSERT(run != nullptr);
    RunEnded end = run->end ? std::move(*run->end) : crashed(*run);
    // What fails when nothing may be begun any more has failed because of that.
    if (end.outcome == AttemptOutcome::error && !cast_->lease->holds())
      end.outcome = AttemptOutcome::handed_over;
    finish(*run, end);
  }

  void finish(Run& run, const RunEnded& end) {
    runs_.unbind_actor(run);
    runs_.clear_deadline(run);
    release(run);
    cast_->figures->job_run.note(*run.queue, cast_->clock->now() - run.started);
    if (run.marked) return finish_marked(run, end);
    run.phase = RunPhase::ended;
    out_.finishes.push_back(finish_of(run, end, *cast_->settings, cast_->self, cast_->clock->now(),
                                      std::uniform_real_distribution<double>{}(random_)));
    const bool own_url = !run.options.empty() && !options_from_json(run.options).webhook.empty();
    announce_end(out_.finishes.back(), run.attempt, run.project, own_url, *cast_);
    flush_soon();
  }

  void finish_marked(const Run& run, const RunEnded& end) {
    // A run that a timeout or a drain was ending has not ended by itself: the delete joined them.
    const bool by_itself = end.outcome == AttemptOutcome::succeeded ||
                           end.outcome == AttemptOutcome::error ||
                           end.outcome == AttemptOutcome::refused;
    RunDown down;
    down.slots_freed = by_itself ? 0 : 1;
    down.effects_aborted = end.effects_aborted;
    down.run_report = end.usage;
    say(run.key, verdict_when_down(by_itself, end.had_processes), std::move(down));
    runs_.remove(run.key);
  }

  void say(const SlotKey& key, Verdict verdict, RunDown down) {
    storage::VerdictOp op{.job = key.job,
                          .ref = key.job,
                          .owner = cast_->self,
                          .verdict = verdict,
                          .now = cast_->clock->now(),
                          .tell_others = elsewhere_.erase(key.job) > 0};
    out_.verdicts.emplace_back(op, std::move(down));
    unwritten_verdicts_.insert(key.job);
    flush_soon();
  }

  void finishes_written(const FinishesWritten& written) {
    for (const auto& [job, epoch] : written.runs) {
      const Run* run = runs_.find({job, epoch});
      if (run != nullptr && run->phase == RunPhase::ended) runs_.remove({job, epoch});
    }
    finish_drain();
  }

  void verdicts_written(const VerdictsWritten& written) {
    for (const JobId& job : written.over) fences_.erase(job);
    for (const JobId& job : written.own) {
      const auto said = unwritten_verdicts_.find(job);
      QUELL_ASSERT(said != unwritten_verdicts_.end());
      unwritten_verdicts_.erase(said);
    }
    finish_drain();
  }

  // ---- deadlines ----
  void set_deadline(Run& run, Millis from_now) {
    runs_.set_deadline(run, cast_->timers->now() + from_now);
    arm();
  }

  void arm() {
    const auto next = runs_.next_deadline();
    if (!next || (armed_for_ && *armed_for_ <= *next)) return;
    if (deadline_timer_) cast_->timers->cancel(*deadline_timer_);
    armed_for_ = *next;
    deadline_timer_ = cast_->timers->after(*next - cast_->timers->now(),
                                           [self = weak(this)] { tell(self, CheckDeadlines{}); });
  }

  void check_deadlines() {
    armed_for_.reset();
    deadline_timer_.reset();
    const Millis now = cast_->timers->now();
    while (Run* run = runs_.overdue(now)) {
      if (run->phase == RunPhase::running)
        stop(*run, StopCause::timeout);
      else if (run->phase == RunPhase::stopping)
        make_stuck(*run);
    }
    arm();
  }

  // ---- drain, census ----
  void drain(DrainRuns drain) {
    draining_ = true;
    if (drain.done) drained_ = std::move(drain.done);
    for (auto& [pool, ledger] : ledgers_) recall(pool, ledger);
    if (drain.at_once) stop_all(StopCause::drain);
    finish_drain();
  }

  void stop_all(StopCause cause) {
    for (auto& [key, run] : runs_)
      if (run.phase == RunPhase::running) stop(run, cause);
  }

  void finish_drain() {
    if (!draining_ || !drained_ || runs_.size() > 0 || !out_.finishes.empty()) return;
    // A verdict that is not written yet would leave a delete to the next life; a permit that is
    // still out may come back as a run.
    if (!unwritten_verdicts_.empty()) return;
    for (const auto& [pool, ledger] : ledgers_)
      if (ledger.offered() > 0) return;
    std::exchange(drained_, nullptr)();
  }

  // Runs that are marked are no longer counted as running. The ids are asked for only when the
  // numbers differ.
  void compare(const RunsCounted& counted) {
    if (static_cast<std::int64_t>(runs_.unmarked()) != counted.running)
      tell(cast_->clerk, TakeCensus{});
  }

  void compare(const CensusTaken& census) {
    std::set<std::pair<JobId, int>> listed(census.running.begin(), census.running.end());
    for (const auto& [job, epoch] : listed) {
      if (runs_.find({job, epoch}) != nullptr) continue;
      out_.finishes.push_back(
          {.job = job, .epoch = epoch, .event = JobEvent::hand_over, .now = cast_->clock->now()});
      flush_soon();
    }
    for (auto& [key, run] : runs_)
      if (run.phase == RunPhase::running &&
          !listed.contains({key.job, static_cast<int>(key.epoch)}))
        stop(run, StopCause::deleted);
  }

  // ---- to the Clerk, many at a time ----
  void flush_soon() {
    if (std::exchange(flush_sent_, true)) return;
    send(this, FlushNow{});
  }

  void flush() {
    flush_sent_ = false;
    for (auto& [pool, count] : out_permits_) {
      if (count == 0) continue;
      out_.permits.emplace_back(pool, count);
      show(pool);
    }
    out_permits_.clear();
    RunsDown all = std::exchange(out_, {});
    // Finishes and permits go in one message, so that the next claim is served by the same commit;
    // more than one slice at a time would make a transaction that others wait for. In order: the
    // first verdict of a run is the one that counts.
    for (std::size_t at = 0; at == 0 || at < all.finishes.size() || at < all.verdicts.size();
         at += slice_max) {
      RunsDown down;
      down.permits.swap(all.permits);
      move_slice(all.finishes, at, down.finishes);
      move_slice(all.verdicts, at, down.verdicts);
      if (down.permits.empty() && down.finishes.empty() && down.verdicts.empty()) return;
      tell(cast_->clerk, std::move(down));
    }
  }

  template <class T>
  static void move_slice(std::vector<T>& from, std::size_t at, std::vector<T>& to) {
    if (at >= from.size()) return;
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(at);
    const auto last = first + static_cast<std::ptrdiff_t>(std::min(slice_max, from.size() - at));
    to.assign(std::make_move_iterator(first), std::make_move_iterator(last));
  }

  std::shared_ptr<Cast> cast_;
  std::map<std::string, SlotLedger> ledgers_;
  std::set<std::string> queues_;  // their names, which the runs share
  RunTable runs_;
  std::unordered_map<JobId, std::int64_t>
      fences_;  // marked and not yet erased: no start at or below this epoch
  std::unordered_set<JobId> elsewhere_;  // another node waits for the verdict
  RunsDown out_;
  std::unordered_multiset<JobId> unwritten_verdicts_;  // said, not yet committed
  std::map<std::string, int> out_permits_;
  std::optional<Timers::Id> deadline_timer_;
  std::optional<Millis> armed_for_;
  std::function<void()> drained_;
  std::mt19937_64 random_;
  bool flush_sent_ = false, draining_ = false;
};

}  // namespace

caf::actor spawn_foreman(caf::actor_system& system, std::shared_ptr<Cast> cast) {
  if (cast->own_threads) return system.spawn<Foreman, caf::detached>(std::move(cast));
  return system.spawn<Foreman>(std::move(cast));
}

}  // namespace quell
