#include "storage/postgres/finish.hpp"

#include "runtime/assert.hpp"

namespace quell::storage::postgres {

void Finish::want(const Batch& batch, Sheet::Wanted& wanted) {
  for (const FinishOp& op : batch.finishes) {
    wanted.jobs.push_back(op.job);
    if (op.event == JobEvent::retry || op.event == JobEvent::hand_over)
      wanted.urls.push_back(op.job);
  }
}

FinishResult Finish::apply(const FinishOp& op) {
  FinishResult result;
  JobEntry& job = sheet_.at(op.job);
  if (!job.exists || job.state != JobState::running || job.epoch != op.epoch) return result;
  const bool hands_over = op.event == JobEvent::hand_over;
  // Whoever wished for a cancel must not see the job start again.
  const bool comes_back = hands_over || op.event == JobEvent::retry;
  const JobEvent event = comes_back && job.cancel_wished ? JobEvent::stopped : op.event;
  if (event != JobEvent::succeed && event != JobEvent::exhaust && event != JobEvent::stopped &&
      event != JobEvent::retry && event != JobEvent::hand_over)
    return result;
  QUELL_ASSERT(event != JobEvent::retry || op.due);
  const std::optional<JobState> to = decide(JobState::running, event);
  QUELL_ASSERT(to);
  result.written = true;
  result.state = *to;
  sheet_.add_bits(job, write_side_rows(op, job.has, !hands_over));
  if (event != op.event)
    sheet_.tell(job, "job.cancelled", *to, op.now);
  else if (!op.deliveries.empty())
    sheet_.add_bits(job, job.has | sheet_.side().deliveries(op.job, op.deliveries));
  job.attempt += hands_over ? 0 : 1;
  if (is_final(*to)) {
    sheet_.end(job, *to, op.now, op.expires);
  } else {
    const std::optional<Instant> never;
    const std::optional<Instant>& due = *to == JobState::scheduled ? op.due : never;
    sheet_.come_back(job, *to, due);
  }
  return result;
}

// Returns the new `has`.
int Finish::write_side_rows(const FinishOp& op, int has, bool counts) {
  SideRows& side = sheet_.side();
  if (counts && (!op.result.empty() || !op.error.empty())) {
    has |= side.result(op.job, op.result, op.error);
  } else if (counts && (has & has_result)) {
    side.no_result(op.job);
    has &= ~has_result;
  }
  if (!op.usage.empty()) has |= side.usage(op.job, op.usage);
  if (op.attempt) has |= side.attempt(op.job, *op.attempt);
  return has;
}

}  // namespace quell::storage::postgres
