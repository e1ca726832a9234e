#include "storage/sqlite/verbs/steer.hpp"

namespace quell::storage::sqlite {

Steer::Steer(SqliteSession& session)
    : session_(session),
      version_(session.db, "SELECT version FROM doc WHERE kind = ? AND id = ?"),
      request_cancel_(session.db, "UPDATE OR ROLLBACK live SET want = 1 WHERE job = ?"),
      end_(session.db,
           "UPDATE OR ROLLBACK job SET state = ?, epoch = ?, attempt = ?, lost = ?, started = ?, "
           "finished = ?,"
           " expires = ?, has = has | ? WHERE id = ?"),
      delete_live_(session.db, "DELETE FROM live WHERE job = ?"),
      // What runs again has no end yet, nor has what it had to show.
      result_stays_(session.db,
                    "UPDATE result SET until = NULL WHERE job = ? AND until IS NOT NULL"),
      open_(session.db,
            "UPDATE OR ROLLBACK job SET state = 0, finished = NULL, expires = NULL, lost = 0,"
            " node = NULL WHERE id = ?"),
      insert_live_(session.db,
                   "INSERT OR ROLLBACK INTO live (job, project, queue, kind, pk, place, epoch, "
                   "attempt, lost,"
                   " has, since, ukey, lkey)"
                   " SELECT id, project, queue, kind, 9 - prio, 1, epoch, attempt, 0, has, started,"
                   " ukey, json_extract(nullif(meta, ''), '$.limit_key')"
                   " FROM job LEFT JOIN payload ON job = id WHERE id = ?"),
      run_now_(session.db, "UPDATE OR ROLLBACK live SET place = 1, due = NULL WHERE job = ?"),
      key_taken_(session.db,
                 "SELECT 1 FROM payload p WHERE p.job = ? AND ("
                 " EXISTS (SELECT 1 FROM live WHERE project = ? AND ukey = p.ukey) OR"
                 " EXISTS (SELECT 1 FROM ticket WHERE project = ? AND ukey = p.ukey))") {}

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
  std::int64_t version = 0;
  for (Rows row = version_.rows(wanted.kind, wanted.id); row.next();) version = row.big(0);
  return version == wanted.version;
}

SteerResult Steer::apply(const SteerOp& op) {
  SteerResult result;
  const std::optional<JobHead> head = session_.look(op.job);
  if (!head) {
    if (const std::optional<TombstoneRow> tombstone = session_.tombstone(op.job)) {
      result.answer = SteerAnswer::gone;
      result.delete_id = tombstone->delete_id;
    }
    return result;
  }
  if (is_other_project(op.project, head->project)) return result;
  result.queue = head->queue;
  result.state = head->state;
  if (is_leaving(head->state)) {
    result.answer = SteerAnswer::leaving;
    result.delete_id = head->delete_id;
  } else {
    steer(*head, op, result);
  }
  return result;
}

void Steer::steer(const JobHead& head, const SteerOp& op, SteerResult& result) {
  result.answer = SteerAnswer::refused;
  if (op.event == JobEvent::cancel) return cancel(head, op, result);
  if (op.event != JobEvent::revive && op.event != JobEvent::run_now) return;
  const std::optional<JobState> to = decide(head.state, op.event);
  if (!to) return;
  if (op.event == JobEvent::revive) return revive(head, op, result);
  run_now_.run(op.job);
  session_.tally.moved(head.project, head.queue, head.state, *to);
  result.answer = SteerAnswer::moved;
  result.state = *to;
}

void Steer::cancel(const JobHead& head, const SteerOp& op, SteerResult& result) {
  if (head.state == JobState::running) {
    // Only a requested cancel: the state changes when the run is down.
    request_cancel_.run(op.job);
    result.answer = SteerAnswer::requested;
    result.runner = Holder{HolderKind::run, op.job, head.owner, head.epoch};
    return;
  }
  const std::optional<JobState> to = decide(head.state, op.event);
  if (!to) return;
  const int told = session_.tell(op.job, head, told_by_webhook(op.event), *to, op.now);
  end_.run(stored(*to), head.epoch, head.attempt, head.lost, head.started, op.now,
           op.expires.of(head.queue), told, op.job);
  delete_live_.run(op.job);
  session_.tally.moved(head.project, head.queue, head.state, *to);
  result.answer = SteerAnswer::moved;
  result.state = *to;
}

void Steer::revive(const JobHead& head, const SteerOp& op, SteerResult& result) {
  if (head.has & has_payload) {
    Rows taken = key_taken_.rows(op.job, head.project, head.project);
    if (taken.next()) return;
  }
  if (head.has & has_result) result_stays_.run(op.job);
  open_.run(op.job);
  insert_live_.run(op.job);
  session_.tally.moved(head.project, head.queue, head.state, JobState::queued);
  result.answer = SteerAnswer::moved;
  result.state = JobState::queued;
}

}  // namespace quell::storage::sqlite
