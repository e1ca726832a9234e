#include "actors/deletes/delete_call.hpp"

#include "actors/node/mutant.hpp"
#include "actors/writes/kept_until.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/base/failpoint.hpp"
#include "runtime/law/trace.hpp"

namespace quell {

using storage::MarkAnswer;
using storage::MarkedJob;

namespace {

Error is_kept(JobId job, const std::string& why) {
  return {ErrorCode::protected_job, "job " + job.text() + (why.empty() ? "" : ": " + why)};
}

}  // namespace

DeleteCall::DeleteCall(DeleteId delete_id, DeleteRequest asked, Answer answer, Instant at,
                       bool needs_replica)
    : id(asked.of_operation.value_or(asked.made_as.value_or(delete_id))),
      request(std::move(asked)),
      answer_(std::move(answer)),
      at_(at),
      needs_replica_(needs_replica) {
  outcomes_.reserve(request.jobs.size());
  for (const JobId& job : request.jobs) {
    if (!index_.emplace(job, outcomes_.size()).second) continue;
    JobOutcome outcome;
    outcome.job = job;
    outcome.fate = JobFate::pending;
    outcomes_.push_back(std::move(outcome));
  }
  unmarked_ = outcomes_.size();
}

JobOutcome& DeleteCall::of(JobId job) {
  return outcomes_.at(index_.at(job));
}

std::vector<JobId> DeleteCall::jobs() const {
  std::vector<JobId> jobs;
  for (const JobOutcome& outcome : outcomes_) jobs.push_back(outcome.job);
  return jobs;
}

std::vector<JobId> DeleteCall::waiting_jobs() const {
  std::vector<JobId> jobs;
  for (const JobOutcome& outcome : outcomes_)
    if (outcome.fate == JobFate::pending) jobs.push_back(outcome.job);
  return jobs;
}

std::vector<JobId> DeleteCall::marked(const SliceMarked& slice) {
  QUELL_ASSERT(slice.count <= unmarked_);
  unmarked_ -= slice.count;
  std::vector<JobId> held;
  if (!slice.jobs) {
    for (std::size_t i = 0; i < slice.count; ++i) {
      outcomes_[slice.first + i].fate = JobFate::failed;
      outcomes_[slice.first + i].error = slice.jobs.error();
    }
    return held;
  }
  QUELL_ASSERT(slice.jobs->size() == slice.count);
  for (const MarkedJob& job : *slice.jobs) settle_marked(job, of(job.job), held, slice.durability);
  waiting_ += held.size();
  return held;
}

void DeleteCall::settle_marked(const MarkedJob& job, JobOutcome& outcome, std::vector<JobId>& held,
                               storage::Durability durability) {
  outcome.queue = job.queue;
  outcome.deliveries_removed = job.deliveries_removed;
  switch (job.answer) {
    case MarkAnswer::erased:
      outcome.was = job.was;
      outcome.verdict = job.verdict;
      outcome.epoch = job.epoch;
      outcome.mark = outcome.erase = true;
      // A lost owner may still act: what it has in hand is not known.
      if (proof_of(job.verdict) == Proof::proven) {
        outcome.slots_freed = outcome.effects_aborted = 0;
        outcome.stop = outcome.release = true;
      }
      outcome.delete_id = id;
      if (!enough(durability)) return held.push_back(job.job);
      rests_on(durability);
      outcome.fate = JobFate::deleted;
      outcome.replicate = durability == storage::Durability::replicated;
      outcome.deleted_at = at_;
      outcome.copy_until = job.copy_until;
      return;
    case MarkAnswer::held:
    case MarkAnswer::joined:
      outcome.was = job.was;
      outcome.epoch = job.epoch;
      outcome.delete_id = job.delete_id;
      outcome.joined = job.answer == MarkAnswer::joined && job.delete_id != id;
      outcome.mark = true;
      if (mutated(Mutant::held_is_deleted) ||
          (outcome.joined && mutated(Mutant::joined_is_deleted))) {
        outcome.fate = JobFate::deleted;
        return;
      }
      held.push_back(job.job);
      return;
    case MarkAnswer::already_gone:
      if (job.delete_id == id) {  // by our own mark, whose commit we did not hear of
        outcome.was = job.was;
        outcome.delete_id = id;
        outcome.mark = true;
        held.push_back(job.job);  // the store knows its verdict
        return;
      }
      outcome.delete_id = job.delete_id;
      outcome.deleted_at = job.deleted_at;
      if (!enough(durability)) {
        gone_before_.insert(job.job);
        return held.push_back(job.job);
      }
      rests_on(durability);
      outcome.fate = JobFate::already_gone;
      outcome.replicate = durability == storage::Durability::replicated;
      return;
    case MarkAnswer::not_found:
      outcome.fate = JobFate::not_found;
      return;
    case MarkAnswer::protected_job:
      outcome.fate = JobFate::failed;
      outcome.error = is_kept(job.job, job.refusal);
      return;
    case MarkAnswer::refused:
      outcome.fate = JobFate::failed;
      outcome.error = Error{ErrorCode::internal, job.refusal};
      return;
  }
}

bool DeleteCall::erased(JobId job, const storage::VerdictResult& result, const RunDown* down,
                        Instant at, storage::Durability durability) {
  const auto found = index_.find(job);
  if (found == index_.end() || outcomes_[found->second].fate != JobFate::pending) return false;
  JobOutcome& outcome = outcomes_[found->second];
  if (outcome.verdict == Verdict::stuck) --stuck_;
  rests_on(durability);
  outcome.replicate = durability == storage::Durability::replicated;
  if (gone_before_.contains(job)) {
    outcome.fate = JobFate::already_gone;
    --waiting_;
    return true;
  }
  outcome.fate = JobFate::deleted;
  outcome.was = outcome.was.value_or(result.was);
  const Verdict verdict = result.verdict;
  outcome.verdict = verdict;
  outcome.mark = outcome.erase = true;
  outcome.stop = outcome.release = proof_of(verdict) == Proof::proven;
  // After a crash nobody knows what the run had in hand; unknown is not zero.
  const bool known =
      down != nullptr && verdict != Verdict::process_died && proof_of(verdict) == Proof::proven;
  if (known) {
    outcome.slots_freed = outcome.slots_freed.value_or(0) + down->slots_freed;
    outcome.effects_aborted = outcome.effects_aborted.value_or(0) + down->effects_aborted;
    if (!down->run_report.empty()) outcome.run_report = down->run_report;
  }
  outcome.deleted_at = at;
  outcome.copy_until = result.copy_until;
  QUELL_ASSERT(waiting_ > 0);
  --waiting_;
  return true;
}

void DeleteCall::run_down(JobId job, const RunDown& down) {
  const auto found = index_.find(job);
  if (found == index_.end() || outcomes_[found->second].fate != JobFate::pending) return;
  JobOutcome& outcome = outcomes_[found->second];
  outcome.stop = outcome.release = true;
  outcome.slots_freed = down.slots_freed;
  outcome.effects_aborted = down.effects_aborted;
  if (!down.run_report.empty()) outcome.run_report = down.run_report;
}

void DeleteCall::erased_here_only(JobId job) {
  const auto found = index_.find(job);
  if (found != index_.end() && outcomes_[found->second].fate == JobFate::pending)
    outcomes_[found->second].erase = true;
}

void DeleteCall::delivery_aborted(JobId job) {
  const auto found = index_.find(job);
  if (found != index_.end() && outcomes_[found->second].fate == JobFate::pending)
    outcomes_[found->second].deliveries_aborted += 1;
}

void DeleteCall::stuck(JobId job) {
  const auto found = index_.find(job);
  if (found == index_.end()) return;
  JobOutcome& outcome = outcomes_[found->second];
  if (outcome.fate != JobFate::pending || outcome.verdict == Verdict::stuck) return;
  outcome.verdict = Verdict::stuck;
  ++stuck_;
}

void DeleteCall::would_delete(const std::vector<storage::Found>& found,
                              const ProtectionPtr& protection) {
  QUELL_ASSERT(found.size() == outcomes_.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    JobOutcome& outcome = outcomes_[i];
    // What the mark would refuse, the dry run may not promise; nor show what is another project's.
    const bool is_ours =
        found[i].job && (request.project.empty() || found[i].job->project == request.project);
    const std::string why =
        is_ours ? protection_of(protection, found[i].job->queue, found[i].job->options.tags) : "";
    if (is_ours && (found[i].job->options.is_protected || !why.empty()) &&
        !is_leaving(found[i].job->state)) {
      outcome.fate = JobFate::failed;
      outcome.error = is_kept(outcome.job, why);
    } else if (is_ours) {
      outcome.fate = is_leaving(found[i].job->state) ? JobFate::pending : JobFate::would_delete;
      outcome.was = found[i].job->state;
      outcome.queue = found[i].job->queue;
    } else if (found[i].tomb) {
      outcome.fate = JobFate::already_gone;
      outcome.deleted_at = found[i].tomb->at;
    } else {
      outcome.fate = JobFate::not_found;
    }
  }
  unmarked_ = 0;
}

void DeleteCall::adopt(const storage::TicketView& ticket) {
  if (!index_.emplace(ticket.job, outcomes_.size()).second) return;
  JobOutcome outcome;
  outcome.job = ticket.job;
  outcome.fate = JobFate::pending;
  outcome.was = ticket.was;
  outcome.delete_id = ticket.delete_id;
  outcome.mark = true;
  if (request.dry_run) outcome.fate = JobFate::would_delete;
  outcomes_.push_back(std::move(outcome));
  if (!request.dry_run) ++waiting_;
}

void DeleteCall::answer(Result<DeleteReport> report) {
  QUELL_ASSERT(answer_);
  if (fails_here(Failpoint::answer_before))
    report = Error{ErrorCode::store_unavailable, "failpoint answer.before"};
  if (traced() && report)
    for (const JobOutcome& outcome : report->outcomes)
      if (outcome.fate == JobFate::deleted && !report->dry_run)
        trace(ProtocolStep::answered, outcome.job);
  std::exchange(answer_, nullptr)(std::move(report));
  fails_here(Failpoint::answer_after);
}

DeleteReport DeleteCall::report() const {
  DeleteReport report;
  report.delete_id = id;
  report.outcomes = outcomes_;
  report.counts = count(outcomes_, request.jobs.empty() ? outcomes_.size() : request.jobs.size());
  report.complete = settled();
  report.dry_run = request.dry_run;
  report.frozen = request.dry_run && request.frozen;
  report.at = at_;
  report.durability = durability_;
  report.requires_replica = needs_replica_;
  return report;
}

storage::UntilByQueue copy_until(const DeleteRequest& request, const SettingValues& settings,
                                 Instant now) {
  if (!request.keep_copy) return copies_kept_until(settings, now);
  if (*request.keep_copy > Millis{0}) return now + *request.keep_copy;
  return {};
}

JobVerdict verdict_of(const storage::Tombstone& tomb, storage::Durability durability) {
  const storage::VerdictOp op{.job = tomb.job,
                              .ref = tomb.job,
                              .owner = {},
                              .epoch = 0,
                              .verdict = tomb.verdict,
                              .now = tomb.at};
  const storage::VerdictResult result{storage::VerdictAnswer::erased, tomb.delete_id, tomb.was,
                                      tomb.verdict, tomb.copy_until};
  return {op, result, std::nullopt, durability};
}

}  // namespace quell
