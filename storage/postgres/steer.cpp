#include "storage/postgres/steer.hpp"

namespace quell::storage::postgres {

void Steer::want(const Batch& batch, Sheet::Wanted& wanted) {
  for (const SteerOp& op : batch.steers) {
    wanted.jobs.push_back(op.job);
    if (op.event == JobEvent::cancel) wanted.urls.push_back(op.job);
  }
}

SteerResult Steer::apply(const SteerOp& op) {
  SteerResult result;
  JobEntry& job = sheet_.at(op.job);
  if (!job.exists) {
    if (job.grave) {
      result.answer = SteerAnswer::gone;
      result.delete_id = job.grave->delete_id;
    }
    return result;
  }
  if (is_other_project(op.project, job.project)) return result;
  result.queue = job.queue;
  result.state = job.state;
  if (is_leaving(job.state)) {
    result.answer = SteerAnswer::leaving;
    result.delete_id = job.delete_id;
  } else {
    steer(job, op, result);
  }
  return result;
}

void Steer::steer(JobEntry& job, const SteerOp& op, SteerResult& result) {
  result.answer = SteerAnswer::refused;
  if (op.event == JobEvent::cancel) return cancel(job, op, result);
  if (op.event != JobEvent::revive && op.event != JobEvent::run_now) return;
  const std::optional<JobState> to = decide(job.state, op.event);
  if (!to) return;
  if (op.event == JobEvent::revive) {
    if ((job.has & has_payload) && sheet_.key_is_taken(job)) return;
    sheet_.revive(job);
  } else {
    sheet_.come_back(job, *to, std::nullopt);
  }
  result.answer = SteerAnswer::moved;
  result.state = *to;
}

void Steer::cancel(JobEntry& job, const SteerOp& op, SteerResult& result) {
  if (job.state == JobState::running) {
    // Only a wish: the state changes when the run is down.
    sheet_.wish(job);
    result.answer = SteerAnswer::wished;
    result.runner = Holder{HolderKind::run, job.id, job.owner, job.epoch};
    return;
  }
  const std::optional<JobState> to = decide(job.state, op.event);
  if (!to) return;
  sheet_.tell(job, "job.cancelled", *to, op.now);
  sheet_.end(job, *to, op.now, op.expires);
  result.answer = SteerAnswer::moved;
  result.state = *to;
}

}  // namespace quell::storage::postgres
