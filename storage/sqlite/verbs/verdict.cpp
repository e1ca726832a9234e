#include "storage/sqlite/verbs/verdict.hpp"

#include "runtime/base/assert.hpp"

namespace quell::storage::sqlite {

VerdictResult Verdicts::apply(const VerdictOp& op) {
  QUELL_ASSERT(proof_of(op.verdict) != Proof::pending);
  VerdictResult result;
  const std::optional<Ticket> ticket = tickets_.find(op.job);
  if (!ticket || !tickets_.answer(op)) return result;
  bool waiting = false;
  result.delete_id = ticket->delete_id;
  result.was = ticket->was;
  result.verdict = tickets_.joint_verdict(op.job, waiting);
  if (!ticket->forced) result.answer = VerdictAnswer::waiting;
  if (waiting) return result;
  if (!ticket->forced) {
    result.answer = VerdictAnswer::erased;
    result.copy_until = ticket->copy_until;
    erase(op.job, *ticket, result.verdict, op.now, Way::erase, ticket->who);
  }
  tickets_.close(op.job);
  return result;
}

ForceResult Verdicts::apply(const ForceOp& op) {
  ForceResult result;
  const std::optional<Ticket> ticket = tickets_.find(op.job);
  if (!ticket) return result;
  result.delete_id = ticket->delete_id;
  result.open = tickets_.open_holders(op.job);
  result.was = ticket->was;
  if (ticket->forced) return result;
  result.erased = true;
  result.copy_until = ticket->copy_until;
  erase(op.job, *ticket, Verdict::not_confirmed, op.now, Way::force, op.who);
  tickets_.set_forced(op.job);
  return result;
}

void Verdicts::erase(JobId job, const Ticket& ticket, Verdict verdict, Instant now, Way way,
                     std::string_view who) {
  std::optional<JobHead> head = session_.look(job);
  // The fence: a job that was restored since would not be leaving under this delete_id.
  if (!head || !is_leaving(head->state) || head->delete_id != ticket.delete_id)
    throw Fault(Error{ErrorCode::store_corrupt, "a ticket has no leaving job"}, false);
  head->due = ticket.due;
  eraser_.erase(Erasure{job, ticket.delete_id, ticket.was, verdict, who, now, ticket.tomb_until,
                        ticket.copy_until},
                *head, way);
}

}  // namespace quell::storage::sqlite
