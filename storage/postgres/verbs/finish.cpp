#include "storage/postgres/verbs/finish.hpp"

#include "runtime/base/assert.hpp"

namespace quell::storage::postgres {

void Finish::want(const Batch& batch, WorkingSet::Wanted& wanted) {
  for (const FinishOp& op : batch.finishes) {
    wanted.jobs.push_back(op.job);
    if (op.event == JobEvent::retry || op.event == JobEvent::hand_over)
      wanted.urls.push_back(op.job);
  }
}

FinishResult Finish::apply(const FinishOp& op) {
  FinishResult result;
  JobEntry& job = rows_.at(op.job);
  if (!job.exists || job.state != JobState::running || job.epoch != op.epoch) return result;
  const bool hands_over = op.event == JobEvent::hand_over;
  const std::optional<JobEvent> event = end_of_run(op.event, job.cancel_requested);
  if (!event) return result;
  QUELL_ASSERT(event != JobEvent::retry || op.due);
  const std::optional<JobState> to = decide(JobState::running, *event);
  QUELL_ASSERT(to);
  result.written = true;
  result.state = *to;
  const bool result_ends = is_final(*to) && !op.result.empty();
  rows_.add_bits(job, write_side_rows(op, job.has, !hands_over,
                                      result_ends ? op.result_expires : std::nullopt));
  if (event != op.event)
    rows_.tell(job, told_by_webhook(*event), *to, op.now);
  else if (!op.deliveries.empty())
    rows_.add_bits(job, job.has | rows_.side().deliveries(op.job, op.deliveries));
  job.attempt += hands_over ? 0 : 1;
  if (is_final(*to)) {
    rows_.end(job, *to, op.now, op.expires);
  } else {
    const std::optional<Instant> never;
    const std::optional<Instant>& due = *to == JobState::scheduled ? op.due : never;
    rows_.come_back(job, *to, due);
  }
  return result;
}

// Returns the new `has`.
int Finish::write_side_rows(const FinishOp& op, int has, bool counts,
                            std::optional<Instant> result_until) {
  SideRows& side = rows_.side();
  if (counts && (!op.result.empty() || !op.error.empty())) {
    has |= side.result(op.job, op.result, op.error, result_until);
  } else if (counts && (has & has_result)) {
    side.no_result(op.job);
    has &= ~has_result;
  }
  if (!op.usage.empty()) has |= side.usage(op.job, op.usage);
  if (op.attempt) has |= side.attempt(op.job, *op.attempt);
  return has;
}

}  // namespace quell::storage::postgres
