#include "storage/postgres/verbs/verdict.hpp"

#include "runtime/base/assert.hpp"

namespace quell::storage::postgres {

namespace {

// False when there is no such holder, or it has answered before.
bool answer(TicketState& ticket, const VerdictOp& op) {
  for (HolderState& one : ticket.holders) {
    if (one.verdict || one.holder.what != op.what || one.holder.ref != op.ref ||
        one.holder.owner != op.owner || one.holder.epoch != op.epoch)
      continue;
    one.verdict = op.verdict;
    return true;
  }
  return false;
}

}  // namespace

void Verdicts::want(const Batch& batch, WorkingSet::Wanted& wanted) {
  const auto both = [&](JobId job) {
    wanted.jobs.push_back(job);
    wanted.tickets.push_back(job);
  };
  for (const VerdictOp& op : batch.verdicts) both(op.job);
  for (const TicketOp& op : batch.tickets) both(op.job);
  for (const ForceOp& op : batch.forces) both(op.job);
}

VerdictResult Verdicts::apply(const VerdictOp& op) {
  QUELL_ASSERT(proof_of(op.verdict) != Proof::pending);
  VerdictResult result;
  JobEntry& job = rows_.at(op.job);
  if (!job.ticket || !answer(*job.ticket, op)) return result;
  const TicketState& ticket = *job.ticket;
  result.delete_id = ticket.delete_id;
  result.was = ticket.was;
  result.verdict = WorkingSet::joint_verdict(job);
  if (!ticket.forced) result.answer = VerdictAnswer::waiting;
  rows_.touch(job, JobEntry::holder_change);
  if (!ticket.open().empty()) return result;
  if (!ticket.forced) {
    result.answer = VerdictAnswer::erased;
    result.copy_until = ticket.copy_until;
    erase(job, result.verdict, op.now, Way::erase, ticket.who);
  }
  rows_.close_ticket(job);
  return result;
}

ForceResult Verdicts::apply(const ForceOp& op) {
  ForceResult result;
  JobEntry& job = rows_.at(op.job);
  if (!job.ticket) return result;
  result.delete_id = job.ticket->delete_id;
  result.open = job.ticket->open();
  result.was = job.ticket->was;
  if (job.ticket->forced) return result;
  result.erased = true;
  result.copy_until = job.ticket->copy_until;
  erase(job, Verdict::not_confirmed, op.now, Way::force, op.who);
  job.ticket->forced = true;
  job.ticket->unique_key.reset();
  rows_.touch(job, JobEntry::ticket_change);
  return result;
}

void Verdicts::erase(JobEntry& job, Verdict verdict, Instant now, Way way, const std::string& who) {
  const TicketState& ticket = *job.ticket;
  // The fence: a job that was restored since would not be leaving under this delete_id.
  if (!job.exists || !is_leaving(job.state) || job.delete_id != ticket.delete_id)
    throw PgFault(Error{ErrorCode::store_corrupt, "a ticket has no leaving job"}, Cure::none);
  Erasure what;
  what.delete_id = ticket.delete_id;
  what.was = ticket.was;
  what.verdict = verdict;
  what.who = who;
  what.now = now;
  what.tomb_until = ticket.tomb_until;
  what.copy_until = ticket.copy_until;
  rows_.erase(job, std::move(what), way);
}

bool Verdicts::apply(const TicketOp& op) {
  JobEntry& job = rows_.at(op.job);
  if (!job.ticket) return false;
  if (op.event) {
    if (*op.event != JobEvent::fail_delete && *op.event != JobEvent::retry_delete) return false;
    const std::optional<JobState> to =
        job.ticket->forced || !job.exists ? std::nullopt : decide(job.state, *op.event);
    if (!to) return false;
    rows_.move_ticket(job, *to);
    if (*op.event == JobEvent::retry_delete) job.ticket->tries = 0;
  }
  job.ticket->error = op.error;
  job.ticket->next_try = op.next_try;
  job.ticket->tries += op.count_try ? 1 : 0;
  rows_.touch(job, JobEntry::ticket_change);
  return true;
}

}  // namespace quell::storage::postgres
