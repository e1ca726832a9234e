#include "storage/postgres/verbs/steer.hpp"

namespace quell::storage::postgres {

namespace {

// What runs again has no end yet, nor has what it had to show.
constexpr Query result_stays{
    "result_stays", "UPDATE result SET until = NULL WHERE job = $1::uuid AND until IS NOT NULL"};

// As it is now, and stays until this commit.
constexpr Query lock_asked{
    "steer_asks", "SELECT version FROM doc WHERE kind = $1::text AND id = $2::text FOR UPDATE"};

}  // namespace

void Steer::want(const Batch& batch, WorkingSet::Wanted& wanted) {
  for (const SteerOp& op : batch.steers) {
    wanted.jobs.push_back(op.job);
    if (op.event == JobEvent::cancel) wanted.urls.push_back(op.job);
  }
}

// A slice of an operation asks for the same document with each of its jobs.
std::vector<SteerResult> Steer::apply(const std::vector<SteerOp>& ops) {
  std::vector<SteerResult> results;
  std::optional<std::pair<DocAt, bool>> seen;
  for (const SteerOp& op : ops) {
    if (op.only_at && (!seen || seen->first != *op.only_at))
      seen = std::pair{*op.only_at, is_at(*op.only_at)};
    if (op.only_at && !seen->second)
      results.emplace_back().answer = SteerAnswer::refused;
    else
      results.push_back(apply(op));
  }
  return results;
}

bool Steer::is_at(const DocAt& wanted) {
  const Rows rows = rows_.session().db.run(lock_asked, wanted.kind, wanted.id);
  return (rows.empty() ? 0 : rows[0].big(0)) == wanted.version;
}

SteerResult Steer::apply(const SteerOp& op) {
  SteerResult result;
  JobEntry& job = rows_.at(op.job);
  if (!job.exists) {
    if (job.tombstone) {
      result.answer = SteerAnswer::gone;
      result.delete_id = job.tombstone->delete_id;
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
    if ((job.has & has_payload) && rows_.key_is_taken(job)) return;
    rows_.revive(job);
    if (job.has & has_result) rows_.session().db.write(result_stays, job.id);
  } else {
    rows_.come_back(job, *to, std::nullopt);
  }
  result.answer = SteerAnswer::moved;
  result.state = *to;
}

void Steer::cancel(JobEntry& job, const SteerOp& op, SteerResult& result) {
  if (job.state == JobState::running) {
    // Only a requested cancel: the state changes when the run is down.
    rows_.request_cancel(job);
    result.answer = SteerAnswer::requested;
    result.runner = Holder{HolderKind::run, job.id, job.owner, job.epoch};
    return;
  }
  const std::optional<JobState> to = decide(job.state, op.event);
  if (!to) return;
  rows_.tell(job, told_by_webhook(op.event), *to, op.now);
  rows_.end(job, *to, op.now, op.expires.of(job.queue));
  result.answer = SteerAnswer::moved;
  result.state = *to;
}

}  // namespace quell::storage::postgres
