#include "actors/writes/commit_trace.hpp"

#include "runtime/law/trace.hpp"

namespace quell {

using namespace storage;

namespace {

void trace_marks(const NodeLife& self, const Outcome& outcome) {
  for (const auto& call : outcome.marks)
    for (const MarkedJob& job : call) {
      for (const Holder& holder : job.open)
        if (holder.what == HolderKind::run && holder.owner == self)
          trace(ProtocolStep::marked, job.job, holder.epoch);
      if (job.answer == MarkAnswer::erased) trace_gone(job.job, job.verdict);
    }
}

void trace_verdicts(const Batch& ops, const Outcome& outcome) {
  for (std::size_t i = 0; i < ops.verdicts.size(); ++i) {
    const VerdictResult& result = outcome.verdicts[i];
    if (result.answer != VerdictAnswer::waiting) trace(ProtocolStep::weighed, ops.verdicts[i].job);
    if (result.answer == VerdictAnswer::erased) trace_gone(ops.verdicts[i].job, result.verdict);
  }
  for (const RecoverResult& declared_dead : outcome.recoveries)
    for (const auto& [job, result] : declared_dead.erased) trace_gone(job, result.verdict);
  for (std::size_t i = 0; i < ops.forces.size(); ++i)
    if (outcome.forces[i].erased) trace_gone(ops.forces[i].job, Verdict::not_confirmed);
}

}  // namespace

void trace_gone(JobId job, Verdict verdict) {
  const bool proven = proof_of(verdict) == Proof::proven;
  trace(proven ? ProtocolStep::gone : ProtocolStep::gone_unproven, job);
}

void trace_commit(const NodeLife& self, const Batch& ops, const Outcome& outcome) {
  if (!traced()) return;
  trace_marks(self, outcome);
  trace_verdicts(ops, outcome);
  for (const FireResult& fire : outcome.fires)
    for (const JobId& job : fire.born) trace(ProtocolStep::born, job);
  for (std::size_t i = 0; i < ops.enqueues.size(); ++i)
    if (outcome.enqueues[i].answer == EnqueueAnswer::stored)
      trace(ProtocolStep::born, ops.enqueues[i].job.id);
  for (std::size_t i = 0; i < ops.restores.size(); ++i)
    if (outcome.restores[i].answer == RestoreAnswer::restored)
      trace(ProtocolStep::born, ops.restores[i].job);
  for (const auto& claim : outcome.claims)
    for (const ClaimedJob& job : claim) trace(ProtocolStep::claimed, job.job, job.epoch);
}

}  // namespace quell
