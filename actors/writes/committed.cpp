#include "actors/writes/committed.hpp"

#include <algorithm>
#include <limits>

#include "actors/node/mutant.hpp"
#include "actors/writes/outbox.hpp"
#include "runtime/law/trace.hpp"
#include "storage/steered.hpp"

namespace quell {

using namespace storage;

namespace {

bool is_own_run(const NodeContext& context, const Holder& holder) {
  return holder.what == HolderKind::run && holder.owner == context.self;
}

bool is_own_delivery(const NodeContext& context, const Holder& holder) {
  return holder.what == HolderKind::delivery && holder.owner == context.self;
}

void tell_marked(CommitPorts& ports, StopMarked marked) {
  if (marked.runs.empty() || mutated(Mutant::marks_not_told)) return;
  for (const MarkedRun& run : marked.runs) trace(ProtocolStep::mark_told, run.job, run.epoch);
  ports.tell_foreman(std::move(marked));
}

}  // namespace

void tell_orders(const NodeContext& context, CommitPorts& ports,
                 const std::vector<std::pair<JobId, Holder>>& holders,
                 const std::vector<std::pair<JobId, int>>& cancel_requests) {
  StopMarked marked;
  MarkedDeliveries deliveries;
  marked.from_elsewhere = true;
  for (const auto& [job, holder] : holders) {
    if (is_own_run(context, holder)) {
      trace(ProtocolStep::marked, job, holder.epoch);
      marked.runs.push_back({job, holder.epoch, {}});
    }
    if (is_own_delivery(context, holder)) deliveries.all.push_back({job, holder.ref});
  }
  tell_marked(ports, std::move(marked));
  if (!deliveries.all.empty()) ports.tell_courier(std::move(deliveries));
  for (const auto& [job, epoch] : cancel_requests) ports.tell_foreman(CancelRun{job, epoch});
}

Committed::Committed(NodeContext& context, CommitPorts& ports, Dispatcher& dispatcher,
                     const Batch& ops, Outcome& outcome, DownByJob& run_downs)
    : context_(context),
      ports_(ports),
      dispatcher_(dispatcher),
      ops_(ops),
      outcome_(outcome),
      run_downs_(run_downs),
      // Before the claims are given away.
      news_(context.events->anyone() ? news_of(ops, outcome) : std::vector<News>{}) {}

void Committed::tell_foreman() {
  note_erased();
  tell_marks();
  tell_verdicts();
  each_steered(ops_, outcome_, [this](const JobId& job, JobEvent, const SteerResult& steer) {
    if (steer.runner && steer.runner->owner == context_.self)
      ports_.tell_foreman(CancelRun{job, steer.runner->epoch});
  });
  for (const BeatResult& beat : outcome_.beats)
    tell_orders(context_, ports_, beat.orders, beat.cancel_requests);
  tell_finishes();
  tell_counts();
  tell_claims();
}

void Committed::note_erased() {
  for (const auto& call : outcome_.marks)
    for (const MarkedJob& job : call)
      if (job.answer == MarkAnswer::erased && proof_of(job.verdict) == Proof::proven)
        context_.metrics->erased.erased(job.job);
  const auto note = [this](JobId job, const VerdictResult& result) {
    if (result.answer == VerdictAnswer::erased && proof_of(result.verdict) == Proof::proven)
      context_.metrics->erased.erased(job);
  };
  for (std::size_t i = 0; i < ops_.verdicts.size(); ++i)
    note(ops_.verdicts[i].job, outcome_.verdicts[i]);
  for (const RecoverResult& declared_dead : outcome_.recoveries)
    for (const auto& [job, result] : declared_dead.erased) note(job, result);
}

void Committed::tell_marks() {
  StopMarked marked;
  const auto own_run = [this](const Holder& holder) { return is_own_run(context_, holder); };
  for (const auto& call : outcome_.marks)
    for (const MarkedJob& job : call)
      for (const Holder& holder : job.open)
        if (own_run(holder)) marked.runs.push_back({job.job, holder.epoch, job.delete_id});
  tell_marked(ports_, std::move(marked));

  for (std::size_t i = 0; i < ops_.forces.size(); ++i)
    for (const Holder& holder : outcome_.forces[i].open)
      if (own_run(holder)) ports_.tell_foreman(ForcedRun{ops_.forces[i].job, holder.epoch});
}

// Marked deliveries first: what is claimed later was not marked by this commit.
void Committed::tell_courier() {
  MarkedDeliveries marked;
  const auto look = [&](JobId job, const Holder& holder) {
    if (is_own_delivery(context_, holder)) marked.all.push_back({job, holder.ref});
  };
  for (const auto& call : outcome_.marks)
    for (const MarkedJob& job : call)
      for (const Holder& holder : job.open) look(job.job, holder);
  for (std::size_t i = 0; i < ops_.forces.size(); ++i)
    for (const Holder& holder : outcome_.forces[i].open) look(ops_.forces[i].job, holder);
  if (!marked.all.empty() && !mutated(Mutant::delivery_mark_ignored))
    ports_.tell_courier(std::move(marked));
  const bool freed =
      std::any_of(outcome_.recoveries.begin(), outcome_.recoveries.end(),
                  [](const RecoverResult& declared_dead) { return declared_dead.deliveries > 0; });
  if (freed || brings_deliveries(ops_, outcome_)) ports_.tell_courier(DeliveriesDue{});
}

void Committed::tell_verdicts() {
  if (ops_.verdicts.empty()) return;
  VerdictsWritten of_runs, of_deliveries;
  for (std::size_t i = 0; i < ops_.verdicts.size(); ++i) {
    const VerdictOp& op = ops_.verdicts[i];
    // What a verdict for an older run did not match says nothing about a younger one.
    if (outcome_.verdicts[i].answer == VerdictAnswer::erased)
      of_runs.over.emplace_back(op.job, std::numeric_limits<std::int64_t>::max());
    else if (outcome_.verdicts[i].answer == VerdictAnswer::unknown)
      of_runs.over.emplace_back(op.job, op.epoch);
    if (op.owner == context_.self)
      (op.what == HolderKind::run ? of_runs : of_deliveries).own.push_back(op.job);
  }
  if (mutated(Mutant::verdicts_not_told)) return;
  ports_.tell_foreman(std::move(of_runs));
  if (!of_deliveries.own.empty()) ports_.tell_courier(std::move(of_deliveries));
}

void Committed::tell_finishes() {
  if (ops_.finishes.empty()) return;
  FinishesWritten written;
  written.runs.reserve(ops_.finishes.size());
  for (std::size_t i = 0; i < ops_.finishes.size(); ++i)
    written.runs.push_back(
        {ops_.finishes[i].job, ops_.finishes[i].epoch, outcome_.finishes[i].written});
  ports_.tell_foreman(std::move(written));
}

// The store counted after this batch's finishes and before its claims, and so is it told.
void Committed::tell_counts() {
  for (const BeatResult& beat : outcome_.beats)
    if (beat.alive) ports_.tell_foreman(RunsCounted{beat.running});
}

// Of what this commit changed; other nodes see it at their next look.
void Committed::wake_schedules() {
  for (const FireResult& fire : outcome_.fires) {
    context_.metrics->submitted += fire.born.size();
    context_.metrics->fires += fire.born.size();
    context_.metrics->fires_overlapped += static_cast<std::uint64_t>(fire.overlaps);
  }
  const bool changed = std::any_of(outcome_.schedule_puts.begin(), outcome_.schedule_puts.end(),
                                   [](const SchedulePutResult& put) { return put.written; });
  if (changed) ports_.look_at_schedules();
  if (!outcome_.task_deletes.empty()) ports_.look_at_tasks();
}

void Committed::tell_claims() {
  for (std::size_t i = 0; i < ops_.claims.size(); ++i) {
    const ClaimOp& claim = ops_.claims[i];
    auto& jobs = outcome_.claims[i];
    dispatcher_.claimed(claim, jobs.size());
    if (jobs.empty()) continue;
    context_.metrics->started += jobs.size();
    for (const ClaimedJob& job : jobs) {
      context_.metrics->erased.lives(job.job);
      if (job.attempt == 1 && job.lost == 0)
        context_.metrics->job_wait.note(claim.queue, claim.now - job.job.time());
    }
    if (mutated(Mutant::claims_not_told)) continue;
    for (const ClaimedJob& job : jobs) trace(ProtocolStep::claim_told, job.job, job.epoch);
    ports_.tell_foreman(
        ClaimedJobs{dispatcher_.pool_of(claim.queue), claim.queue, std::move(jobs)});
    jobs.clear();
  }
}

void Committed::wake_queues() {
  for (const RestoreResult& result : outcome_.restores)
    if (result.answer == RestoreAnswer::restored && result.state == JobState::queued)
      dispatcher_.may_have_work(result.queue);
  for (const SteerResult& result : outcome_.steers)
    if (result.answer == SteerAnswer::moved && result.state == JobState::queued)
      dispatcher_.may_have_work(result.queue);
  for (const DueResult& result : outcome_.dues)
    for (const std::string& queue : result.queues) dispatcher_.may_have_work(queue);
  for (const RecoverResult& result : outcome_.recoveries)
    for (const std::string& queue : result.queues) dispatcher_.may_have_work(queue);
  // A job handed over names no queue; it is rare, so every queue is looked at.
  for (const FinishResult& result : outcome_.finishes)
    if (result.written && result.state == JobState::queued) {
      dispatcher_.everything_may_have_work();
      break;
    }
}

std::optional<Instant> Committed::earliest_due() const {
  std::optional<Instant> earliest;
  const auto look_at = [&](Instant due) {
    if (!earliest || due < *earliest) earliest = due;
  };
  for (const EnqueueOp& op : ops_.enqueues)
    if (op.job.run_at && *op.job.run_at > op.now) look_at(*op.job.run_at);
  for (const RestoreResult& result : outcome_.restores)
    if (result.answer == RestoreAnswer::restored && result.due) look_at(*result.due);
  for (std::size_t i = 0; i < ops_.finishes.size(); ++i)
    if (outcome_.finishes[i].written && outcome_.finishes[i].state == JobState::scheduled &&
        ops_.finishes[i].due)
      look_at(*ops_.finishes[i].due);
  return earliest;
}

JobsVerdict Committed::verdicts() {
  JobsVerdict answer;
  for (std::size_t i = 0; i < ops_.verdicts.size(); ++i) {
    RunDown down;
    const auto at = run_downs_.find(ops_.verdicts[i].job);
    if (at != run_downs_.end() && ops_.verdicts[i].what == HolderKind::run) {
      down = std::move(at->second);
      run_downs_.erase(at);
    }
    answer.verdicts.push_back(
        {ops_.verdicts[i], outcome_.verdicts[i], std::move(down), outcome_.durability});
  }
  for (std::size_t i = 0; i < ops_.recoveries.size(); ++i)
    for (const auto& [job, result] : outcome_.recoveries[i].erased) {
      VerdictOp op{.job = job,
                   .ref = job,
                   .owner = {},
                   .epoch = 0,
                   .verdict = ops_.recoveries[i].verdict,
                   .now = ops_.recoveries[i].now};
      answer.verdicts.push_back({op, result, RunDown{}, outcome_.durability});
    }
  return answer;
}

void Committed::tell_watchers() {
  Metrics& metrics = *context_.metrics;
  metrics.submitted += ops_.enqueues.size();
  for (const FinishResult& result : outcome_.finishes) {
    if (!result.written) continue;
    metrics.succeeded += result.state == JobState::succeeded ? 1 : 0;
    metrics.failed += result.state == JobState::failed ? 1 : 0;
    metrics.cancelled += result.state == JobState::cancelled ? 1 : 0;
    metrics.retried += result.state == JobState::scheduled ? 1 : 0;
  }
  context_.events->tell_commit(news_, outcome_.news_told);
}

}  // namespace quell
