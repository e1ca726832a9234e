#include "actors/committed.hpp"

#include <algorithm>

#include "actors/outbox.hpp"
#include "actors/send.hpp"

namespace quell {

using namespace storage;

namespace {

bool is_own_run(const Cast& cast, const Holder& holder) {
  return holder.what == HolderKind::run && holder.owner == cast.self;
}

bool is_own_delivery(const Cast& cast, const Holder& holder) {
  return holder.what == HolderKind::delivery && holder.owner == cast.self;
}

}  // namespace

void tell_orders(Cast& cast, const std::vector<std::pair<JobId, Holder>>& holders,
                 const std::vector<std::pair<JobId, int>>& wishes) {
  MarkedJobs marked;
  MarkedDeliveries deliveries;
  marked.from_elsewhere = true;
  for (const auto& [job, holder] : holders) {
    if (is_own_run(cast, holder)) marked.runs.push_back({job, holder.epoch, {}});
    if (is_own_delivery(cast, holder)) deliveries.all.push_back({job, holder.ref});
  }
  if (!marked.runs.empty()) tell(cast.foreman, std::move(marked));
  if (!deliveries.all.empty()) tell(cast.courier, std::move(deliveries));
  for (const auto& [job, epoch] : wishes) tell(cast.foreman, CancelRun{job, epoch});
}

Committed::Committed(Cast& cast, Dispatcher& dispatcher, const Batch& ops, Outcome& outcome,
                     RunDowns& run_downs)
    : cast_(cast), dispatcher_(dispatcher), ops_(ops), outcome_(outcome), run_downs_(run_downs) {}

void Committed::tell_foreman() {
  note_erased();
  tell_marks();
  tell_verdicts();
  for (std::size_t i = 0; i < ops_.steers.size(); ++i)
    if (const auto& runner = outcome_.steers[i].runner; runner && runner->owner == cast_.self)
      tell(cast_.foreman, CancelRun{ops_.steers[i].job, runner->epoch});
  for (const BeatResult& beat : outcome_.beats) tell_orders(cast_, beat.orders, beat.wishes);
  tell_finishes();
  tell_counts();
  tell_births();
  tell_claims();
}

void Committed::note_erased() {
  for (const auto& call : outcome_.marks)
    for (const MarkedJob& job : call)
      if (job.answer == MarkAnswer::erased && proof_of(job.verdict) == Proof::proven)
        cast_.figures->erased.erased(job.job);
  const auto note = [this](JobId job, const VerdictResult& result) {
    if (result.answer == VerdictAnswer::erased && proof_of(result.weakest) == Proof::proven)
      cast_.figures->erased.erased(job);
  };
  for (std::size_t i = 0; i < ops_.verdicts.size(); ++i)
    note(ops_.verdicts[i].job, outcome_.verdicts[i]);
  for (const BuryResult& buried : outcome_.burials)
    for (const auto& [job, result] : buried.erased) note(job, result);
}

void Committed::tell_marks() {
  MarkedJobs marked;
  const auto own_run = [this](const Holder& holder) { return is_own_run(cast_, holder); };
  for (const auto& call : outcome_.marks)
    for (const MarkedJob& job : call)
      for (const Holder& holder : job.open)
        if (own_run(holder)) marked.runs.push_back({job.job, holder.epoch, job.delete_id});
  if (!marked.runs.empty()) tell(cast_.foreman, std::move(marked));

  for (std::size_t i = 0; i < ops_.forces.size(); ++i)
    for (const Holder& holder : outcome_.forces[i].open)
      if (own_run(holder)) tell(cast_.foreman, ForcedRun{ops_.forces[i].job, holder.epoch});
}

// Marked deliveries first: what is claimed later was not marked by this commit.
void Committed::tell_courier() {
  MarkedDeliveries marked;
  const auto look = [&](JobId job, const Holder& holder) {
    if (is_own_delivery(cast_, holder)) marked.all.push_back({job, holder.ref});
  };
  for (const auto& call : outcome_.marks)
    for (const MarkedJob& job : call)
      for (const Holder& holder : job.open) look(job.job, holder);
  for (std::size_t i = 0; i < ops_.forces.size(); ++i)
    for (const Holder& holder : outcome_.forces[i].open) look(ops_.forces[i].job, holder);
  if (!marked.all.empty()) tell(cast_.courier, std::move(marked));
  const bool freed = std::any_of(outcome_.burials.begin(), outcome_.burials.end(),
                                 [](const BuryResult& buried) { return buried.deliveries > 0; });
  if (freed || brings_deliveries(ops_, outcome_)) tell(cast_.courier, DeliveriesDue{});
}

void Committed::tell_verdicts() {
  if (ops_.verdicts.empty()) return;
  VerdictsWritten written;
  for (std::size_t i = 0; i < ops_.verdicts.size(); ++i) {
    const VerdictOp& op = ops_.verdicts[i];
    if (outcome_.verdicts[i].answer != VerdictAnswer::waiting) written.over.push_back(op.job);
    if (op.what == HolderKind::run && op.owner == cast_.self) written.own.push_back(op.job);
  }
  tell(cast_.foreman, std::move(written));
}

void Committed::tell_finishes() {
  if (ops_.finishes.empty()) return;
  FinishesWritten written;
  written.runs.reserve(ops_.finishes.size());
  for (const FinishOp& op : ops_.finishes) written.runs.emplace_back(op.job, op.epoch);
  tell(cast_.foreman, std::move(written));
}

// The store counted after this batch's finishes and before its claims, and so is it told.
void Committed::tell_counts() {
  for (const BeatResult& beat : outcome_.beats)
    if (beat.alive) tell(cast_.foreman, RunsCounted{beat.running});
}

// Before the claims: one batch may store a job and claim it, and watchers see its life in order.
void Committed::tell_births() {
  if (!cast_.events->anyone()) return;
  for (std::size_t i = 0; i < ops_.enqueues.size(); ++i)
    if (outcome_.enqueues[i].answer == EnqueueAnswer::stored)
      event("job.created", ops_.enqueues[i].job.id, ops_.enqueues[i].job.queue);
}

void Committed::tell_claims() {
  for (std::size_t i = 0; i < ops_.claims.size(); ++i) {
    const ClaimOp& claim = ops_.claims[i];
    auto& jobs = outcome_.claims[i];
    dispatcher_.claimed(claim, jobs.size());
    if (jobs.empty()) continue;
    cast_.figures->started += jobs.size();
    for (const ClaimedJob& job : jobs) {
      cast_.figures->erased.lives(job.job);
      if (job.attempt == 1 && job.lost == 0)
        cast_.figures->job_wait.note(claim.queue, claim.now - job.job.time());
    }
    if (cast_.events->anyone())
      for (const ClaimedJob& job : jobs) event("job.started", job.job, claim.queue);
    tell(cast_.foreman,
         ClaimedJobs{dispatcher_.pool_of(claim.queue), claim.queue, std::move(jobs)});
    jobs.clear();
  }
}

void Committed::wake_queues() {
  for (const SteerResult& result : outcome_.steers)
    if (result.answer == SteerAnswer::moved && result.state == JobState::queued)
      dispatcher_.may_have_work(result.queue);
  for (const DueResult& result : outcome_.dues)
    for (const std::string& queue : result.queues) dispatcher_.may_have_work(queue);
  for (const BuryResult& result : outcome_.burials)
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
  for (std::size_t i = 0; i < ops_.finishes.size(); ++i)
    if (outcome_.finishes[i].written && outcome_.finishes[i].state == JobState::scheduled &&
        ops_.finishes[i].due)
      look_at(*ops_.finishes[i].due);
  return earliest;
}

JobsVerdict Committed::verdicts() {
  JobsVerdict news;
  for (std::size_t i = 0; i < ops_.verdicts.size(); ++i) {
    RunDown down;
    const auto at = run_downs_.find(ops_.verdicts[i].job);
    if (at != run_downs_.end() && ops_.verdicts[i].what == HolderKind::run) {
      down = std::move(at->second);
      run_downs_.erase(at);
    }
    news.verdicts.push_back({ops_.verdicts[i], outcome_.verdicts[i], std::move(down)});
  }
  for (std::size_t i = 0; i < ops_.burials.size(); ++i)
    for (const auto& [job, result] : outcome_.burials[i].erased) {
      VerdictOp op{.job = job,
                   .ref = job,
                   .owner = {},
                   .verdict = ops_.burials[i].verdict,
                   .now = ops_.burials[i].now};
      news.verdicts.push_back({op, result, RunDown{}});
    }
  return news;
}

void Committed::event(const char* type, JobId job, const std::string& queue, std::string data) {
  cast_.events->tell({.type = type,
                      .job = job,
                      .queue = queue,
                      .data = std::move(data),
                      .at = cast_.clock->now()});
}

void Committed::finish_events() {
  for (std::size_t i = 0; i < ops_.finishes.size(); ++i) {
    if (!outcome_.finishes[i].written) continue;
    switch (outcome_.finishes[i].state) {
      case JobState::succeeded:
        event("job.succeeded", ops_.finishes[i].job, {});
        break;
      case JobState::failed:
        event("job.failed", ops_.finishes[i].job, {});
        break;
      case JobState::cancelled:
        event("job.cancelled", ops_.finishes[i].job, {});
        break;
      default:
        event("job.retrying", ops_.finishes[i].job, {});
        break;
    }
  }
}

// Jobs that came to rest by no word of their run.
void Committed::ended_events() {
  for (std::size_t i = 0; i < ops_.steers.size(); ++i)
    if (const SteerResult& one = outcome_.steers[i];
        one.answer == SteerAnswer::moved && one.state == JobState::cancelled)
      event("job.cancelled", ops_.steers[i].job, one.queue);
  for (const BuryResult& buried : outcome_.burials)
    for (const auto& [job, state] : buried.ended)
      event(state == JobState::failed ? "job.failed" : "job.cancelled", job, {});
}

void Committed::tell_watchers() {
  Figures& figures = *cast_.figures;
  figures.submitted += ops_.enqueues.size();
  for (const FinishResult& result : outcome_.finishes) {
    if (!result.written) continue;
    figures.succeeded += result.state == JobState::succeeded ? 1 : 0;
    figures.failed += result.state == JobState::failed ? 1 : 0;
    figures.cancelled += result.state == JobState::cancelled ? 1 : 0;
    figures.retried += result.state == JobState::scheduled ? 1 : 0;
  }
  if (!cast_.events->anyone()) return;
  finish_events();
  ended_events();
  for (const auto& call : outcome_.marks)
    for (const MarkedJob& job : call) {
      if (job.answer == MarkAnswer::erased) event("job.deleted", job.job, job.queue);
      if (job.answer == MarkAnswer::held) event("job.delete_requested", job.job, job.queue);
    }
  for (std::size_t i = 0; i < ops_.verdicts.size(); ++i)
    if (outcome_.verdicts[i].answer == VerdictAnswer::erased)
      event("job.deleted", ops_.verdicts[i].job, {});
  for (const FlushOp& flush : ops_.flushes)
    if (flush.progress)
      event("job.progress", flush.job, {},
            "{\"progress\":" + std::to_string(*flush.progress) + "}");
}

}  // namespace quell
