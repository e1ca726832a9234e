#include "actors/runs/run_supervisor.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "actors/fleet/lease.hpp"
#include "actors/node/mutant.hpp"
#include "actors/node/pool_snapshot.hpp"
#include "actors/runs/run_end.hpp"
#include "actors/runs/runs_down_slices.hpp"
#include "actors/writes/outbox.hpp"
#include "actors/writes/pending_batch.hpp"
#include "runtime/base/failpoint.hpp"

namespace quell {

RunSupervisor::RunSupervisor(std::shared_ptr<NodeContext> context, RunPorts& ports)
    : context_(std::move(context)), ports_(ports), random_(std::random_device{}()) {
  for (const auto& [name, capacity] : context_->settings->pools)
    ledgers_.emplace(name, SlotLedger(static_cast<SlotLedger::Count>(capacity)));
  for (const auto& [pool, ledger] : ledgers_) show(pool);
}

void RunSupervisor::note(ProtocolStep step, const SlotKey& key) {
  trace(step, key.job, key.epoch);
}

void RunSupervisor::offer(const std::string& pool) {
  if (draining_ || !context_->settings->take_work) return;
  const auto taken = ledgers_.at(pool).take(std::numeric_limits<SlotLedger::Count>::max());
  if (taken > 0) out_permits_[pool] += static_cast<int>(taken);
  flush_soon();
}

void RunSupervisor::offer_all() {
  for (const auto& [pool, ledger] : ledgers_) offer(pool);
}

// The one place where capacity comes back: every end of every run passes here, once.
void RunSupervisor::release(const Run& run) {
  ledgers_.at(*run.pool).give_back(run.key);
  note(ProtocolStep::slot_back, run.key);
  if (mutated(Mutant::slot_kept)) return;
  context_->metrics->runs -= 1;
  if (run.phase == RunPhase::stuck) context_->metrics->runs_stuck -= 1;
  offer(*run.pool);
  fails_here(Failpoint::release_after);
}

void RunSupervisor::permits_back(const PermitsBack& back) {
  ledgers_.at(back.pool).return_offered(static_cast<SlotLedger::Count>(back.count));
  show(back.pool);
  offer(back.pool);  // after a shrink there is less to offer, not nothing
  finish_drain();
}

// Permits standing at the Clerk come back, or a shrunken pool would still be claimed for. Those
// not yet sent never leave.
void RunSupervisor::recall(const std::string& pool, SlotLedger& ledger) {
  const int unsent = std::exchange(out_permits_[pool], 0);
  ledger.return_offered(static_cast<SlotLedger::Count>(unsent));
  if (ledger.offered() > 0) ports_.recall(pool, static_cast<int>(ledger.offered()));
}

void RunSupervisor::resize(const std::string& pool, int capacity) {
  auto& ledger = ledgers_.try_emplace(pool, SlotLedger(0)).first->second;
  ledger.resize(static_cast<SlotLedger::Count>(capacity));
  recall(pool, ledger);
  show(pool);
  offer(pool);
}

void RunSupervisor::show(const std::string& pool) {
  const SlotLedger& ledger = ledgers_.at(pool);
  PoolView view;
  view.name = pool;
  view.capacity = static_cast<int>(ledger.capacity());
  view.used = static_cast<int>(ledger.used() - ledger.offered());
  view.stuck = static_cast<int>(ledger.stuck());
  view.free = std::max(0, view.capacity - view.used - view.stuck);
  context_->pools->write(std::move(view));
}

// ---- starting ----
void RunSupervisor::start(ClaimedJobs& claimed) {
  const auto ledger = ledgers_.find(claimed.pool);
  QUELL_ASSERT(ledger != ledgers_.end());
  const std::string& queue = *queues_.insert(claimed.queue).first;
  for (storage::ClaimedJob& job : claimed.jobs)
    start_one(ledger->first, queue, ledger->second, job);
  show(claimed.pool);
}

void RunSupervisor::start_one(const std::string& pool, const std::string& queue, SlotLedger& ledger,
                              storage::ClaimedJob& job) {
  const SlotKey key{job.job, job.epoch};
  // A run is claimed once: the store has forgotten that it gave us this one.
  if (ledger.holds(key)) {
    ledger.return_offered(1);
    return context_->doubt_history("job " + job.job.text() + " was given to this node twice");
  }
  ledger.bind(key);
  note(ProtocolStep::claim_heard, key);
  context_->metrics->runs += 1;
  Run& run = runs_.add({.key = key,
                        .pool = &pool,
                        .queue = &queue,
                        .attempt = job.attempt,
                        .lost = job.lost,
                        .project = job.project,
                        .options = job.options,
                        .started = context_->clock->now()});
  if (const auto fence = fences_.find(job.job);
      fence != fences_.end() && key.epoch <= fence->second && !mutated(Mutant::no_fence))
    return drop_start(run, Verdict::not_started);
  if (draining_ || !context_->lease->holds())
    return finish(run, ended(run, AttemptOutcome::handed_over));
  const Kind* kind = context_->registry->find(job.kind);
  if (kind == nullptr) {
    RunEnded end = ended(run, AttemptOutcome::refused);
    end.error = R"({"code":"unknown-kind","detail":"this node has no handler for the job's kind"})";
    return finish(run, end);
  }
  note(ProtocolStep::started, key);
  runs_.bind_actor(run, ports_.begin(std::move(job), *kind));
  run.phase = RunPhase::running;
  set_deadline(run, timeout_of(run));
}

RunEnded RunSupervisor::ended(const Run& run, AttemptOutcome outcome) {
  RunEnded end{.job = run.key.job, .epoch = static_cast<int>(run.key.epoch)};
  end.outcome = outcome;
  return end;
}

// ---- stopping ----
// A beat lists what is open in the store, also where our word is on its way.
bool RunSupervisor::is_answered(const MarkedRun& marked) {
  return unwritten_verdicts_.contains(marked.job) &&
         runs_.find({marked.job, marked.epoch}) == nullptr;
}

void RunSupervisor::stop_marked(const StopMarked& marked) {
  for (const MarkedRun& run : marked.runs) {
    if (is_answered(run)) continue;
    if (marked.from_elsewhere) elsewhere_.insert(run.job);
    answer_mark(run);
  }
}

void RunSupervisor::answer_mark(const MarkedRun& marked) {
  auto& fence = fences_[marked.job];
  fence = std::max<std::int64_t>(fence, marked.epoch);
  const SlotKey key{marked.job, marked.epoch};
  note(ProtocolStep::mark_heard, key);
  Run* run = mutated(Mutant::running_is_unknown) ? nullptr : runs_.find(key);
  const StopAnswer answer = answer_to_mark(run != nullptr ? run->phase : lost_ends_.phase_of(key));
  if (run != nullptr) runs_.mark(*run);
  if (answer.drop_start) return drop_start(*run, *answer.verdict);
  if (answer.send_stop) return stop(*run, StopCause::deleted);
  if (*answer.verdict == Verdict::stuck) {
    if (run->cause != StopCause::deleted) hurry(*run);
    return ports_.say_stuck(marked.job);
  }
  say(key, *answer.verdict, {});
}

// Stuck under a gentle stop: a delete knows no grace.
void RunSupervisor::hurry(Run& run) {
  run.cause = StopCause::deleted;
  ports_.stop(run.actor, StopCause::deleted);
}

void RunSupervisor::drop_start(Run& run, Verdict verdict) {
  const SlotKey key = run.key;
  release(run);
  RunDown down;
  down.slots_freed = 0;  // it was never used
  say(key, verdict, std::move(down));
  runs_.remove(key);
}

void RunSupervisor::cancel(const CancelRun& cancel) {
  Run* run = runs_.find({cancel.job, cancel.epoch});
  if (run != nullptr && (run->phase == RunPhase::running || run->phase == RunPhase::stopping))
    stop(*run, StopCause::cancelled);
}

void RunSupervisor::stop(Run& run, StopCause cause) {
  const bool first = run.phase == RunPhase::running;
  const StopCause now = run.cause ? stronger(*run.cause, cause) : cause;
  if (!first && run.cause == now) return;
  run.cause = now;
  run.phase = RunPhase::stopping;
  if (now == StopCause::deleted && mutated(Mutant::slot_back_on_stop)) release(run);
  if (now == StopCause::deleted && mutated(Mutant::verdict_on_stop))
    say(run.key, Verdict::stopped, {});
  if (mutated(Mutant::stop_not_sent) && now == StopCause::deleted) return;
  if (!fails_here(Failpoint::stop_before)) ports_.stop(run.actor, now);
  if (first || now == StopCause::deleted) set_deadline(run, context_->settings->stop_deadline);
}

void RunSupervisor::force(const ForcedRun& forced) {
  Run* run = runs_.find({forced.job, forced.epoch});
  if (run == nullptr) return say({forced.job, forced.epoch}, Verdict::not_running, {});
  runs_.mark(*run);
  if (run->phase == RunPhase::running) stop(*run, StopCause::deleted);
  if (run->phase == RunPhase::stopping) make_stuck(*run);
}

void RunSupervisor::make_stuck(Run& run) {
  run.phase = RunPhase::stuck;
  ledgers_.at(*run.pool).mark_stuck(run.key);
  context_->metrics->runs_stuck += 1;
  show(*run.pool);
  if (run.marked && mutated(Mutant::stuck_is_stopped)) say(run.key, Verdict::stopped, {});
  if (run.marked) ports_.say_stuck(run.key.job);
}

// ---- ending ----
void RunSupervisor::run_ended(RunEnded end) {
  Run* run = runs_.find({end.job, end.epoch});
  QUELL_ASSERT(run != nullptr);
  run->end = std::make_unique<RunEnded>(std::move(end));
}

void RunSupervisor::run_down(RunPorts::RunNumber actor) {
  Run* run = runs_.find_actor(actor);
  QUELL_ASSERT(run != nullptr);
  note(ProtocolStep::down, run->key);
  RunEnded end = run->end ? std::move(*run->end) : crashed(*run);
  // What fails when nothing may be begun any more has failed because of that.
  if (end.outcome == AttemptOutcome::error && !context_->lease->holds())
    end.outcome = AttemptOutcome::handed_over;
  finish(*run, end);
}

void RunSupervisor::finish(Run& run, const RunEnded& end) {
  const bool has_begun = run.phase != RunPhase::claimed;
  if (run.actor != 0) ports_.let_go(run.actor);
  runs_.unbind_actor(run);
  runs_.clear_deadline(run);
  release(run);
  context_->metrics->job_run.note(*run.queue, context_->clock->now() - run.started);
  if (run.marked && !mutated(Mutant::marked_run_finishes)) return finish_marked(run, end);
  run.phase = has_begun ? RunPhase::ended : RunPhase::unbegun;
  note(ProtocolStep::end_said, run.key);
  out_.finishes.push_back(finish_of(run, end, *context_->settings, context_->self,
                                    context_->clock->now(),
                                    std::uniform_real_distribution<double>{}(random_)));
  const bool own_url = !run.options.empty() && !options_from_json(run.options).webhook.empty();
  announce_end(out_.finishes.back(), run.attempt, run.project, own_url, *context_);
  flush_soon();
}

void RunSupervisor::finish_marked(const Run& run, const RunEnded& end) {
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

void RunSupervisor::say(const SlotKey& key, Verdict verdict, RunDown down) {
  note(ProtocolStep::verdict_said, key);
  storage::VerdictOp op{.job = key.job,
                        .ref = key.job,
                        .owner = context_->self,
                        .epoch = static_cast<int>(key.epoch),
                        .verdict = verdict,
                        .now = context_->clock->now(),
                        .tell_others = elsewhere_.erase(key.job) > 0};
  out_.verdicts.emplace_back(op, std::move(down));
  unwritten_verdicts_.insert(key.job);
  if (mutated(Mutant::fence_forgotten) && fences_.erase(key.job) > 0)
    trace(ProtocolStep::fence_gone, key.job);
  flush_soon();
}

void RunSupervisor::finishes_written(const FinishesWritten& written) {
  for (const auto& [job, epoch, was_written] : written.runs) {
    const SlotKey key{job, epoch};
    const Run* run = runs_.find(key);
    const bool is_over =
        run != nullptr && (run->phase == RunPhase::ended || run->phase == RunPhase::unbegun);
    if (!is_over) continue;
    if (!was_written && !run->marked) lost_ends_.note(key, run->phase);
    runs_.remove(key);
  }
  finish_drain();
}

void RunSupervisor::verdicts_written(const VerdictsWritten& written) {
  for (const auto& [job, epoch] : written.over)
    if (const auto fence = fences_.find(job); fence != fences_.end() && fence->second <= epoch) {
      fences_.erase(fence);
      trace(ProtocolStep::fence_gone, job);
    }
  for (const JobId& job : written.own) {
    const auto said = unwritten_verdicts_.find(job);
    QUELL_ASSERT(said != unwritten_verdicts_.end());
    unwritten_verdicts_.erase(said);
  }
  finish_drain();
}

// ---- deadlines ----
void RunSupervisor::set_deadline(Run& run, Millis from_now) {
  runs_.set_deadline(run, context_->timers->now() + from_now);
  arm();
}

void RunSupervisor::arm() {
  const auto next = runs_.next_deadline();
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;
  armed_for_ = *next;
  ports_.wake_in(*next - context_->timers->now());
}

void RunSupervisor::check_deadlines() {
  armed_for_.reset();
  const Millis now = context_->timers->now();
  while (Run* run = runs_.overdue(now)) {
    if (run->phase == RunPhase::running)
      stop(*run, StopCause::timeout);
    else if (run->phase == RunPhase::stopping)
      make_stuck(*run);
  }
  arm();
}

// ---- drain, census ----
void RunSupervisor::drain(DrainRuns drain) {
  draining_ = true;
  if (drain.done) drained_ = std::move(drain.done);
  for (auto& [pool, ledger] : ledgers_) recall(pool, ledger);
  if (drain.at_once) stop_all(StopCause::drain);
  finish_drain();
}

void RunSupervisor::stop_all(StopCause cause) {
  for (auto& [key, run] : runs_)
    if (run.phase == RunPhase::running) stop(run, cause);
}

void RunSupervisor::finish_drain() {
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
void RunSupervisor::compare(const RunsCounted& counted) {
  lost_ends_.renewed();
  if (static_cast<std::int64_t>(runs_.unmarked()) != counted.running) ports_.take_census();
}

void RunSupervisor::compare(const CensusTaken& census) {
  std::set<std::pair<JobId, int>> listed(census.running.begin(), census.running.end());
  for (const auto& [job, epoch] : listed) {
    if (runs_.find({job, epoch}) != nullptr) continue;
    trace(ProtocolStep::given_back, job, epoch);
    const Instant now = context_->clock->now();
    out_.finishes.push_back(
        {.job = job,
         .epoch = epoch,
         .event = JobEvent::hand_over,
         .now = now,
         .expires = expires_at(RetentionRules::of(*context_->settings), JobState::cancelled, now)});
    flush_soon();
  }
  for (auto& [key, run] : runs_)
    if (run.phase == RunPhase::running && !listed.contains({key.job, static_cast<int>(key.epoch)}))
      stop(run, StopCause::deleted);
}

// ---- to the Clerk, many at a time ----
void RunSupervisor::flush_soon() {
  if (std::exchange(flush_sent_, true)) return;
  ports_.flush_later();
}

std::vector<JobId> RunSupervisor::jobs() {
  std::vector<JobId> all;
  for (const auto& [key, run] : runs_) all.push_back(key.job);
  return all;
}

void RunSupervisor::flush() {
  flush_sent_ = false;
  for (auto& [pool, count] : out_permits_) {
    if (count == 0) continue;
    out_.permits.emplace_back(pool, count);
    show(pool);
  }
  out_permits_.clear();
  for (WriteEnds& down : slices_of(std::exchange(out_, {}), alongside_max)) {
    if (down.permits.empty() && down.finishes.empty() && down.verdicts.empty()) return;
    ports_.write(std::move(down));
  }
}

}  // namespace quell
