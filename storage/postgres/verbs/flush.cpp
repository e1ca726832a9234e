#include "storage/postgres/verbs/flush.hpp"

namespace quell::storage::postgres {

void Flush::want(const Batch& batch, WorkingSet::Wanted& wanted) {
  for (const FlushOp& op : batch.flushes) wanted.jobs.push_back(op.job);
}

bool Flush::apply(const FlushOp& op) {
  JobEntry& job = rows_.at(op.job);
  if (!job.exists || job.state != JobState::running || job.epoch != op.epoch) return false;
  int has = job.has;
  SideRows& side = rows_.side();
  if (op.progress || op.phase || op.usage)
    has |= side.progress(op.job, op.progress, op.phase, op.usage);
  if (!op.partials.empty()) has |= side.partials(op.job, op.partials);
  if (!op.logs.empty()) has |= side.logs(op.job, op.logs);
  if (!op.steps.empty()) has |= side.steps(op.job, op.steps);
  rows_.add_bits(job, has);
  return true;
}

}  // namespace quell::storage::postgres
