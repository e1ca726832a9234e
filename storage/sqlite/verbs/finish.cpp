#include "storage/sqlite/verbs/finish.hpp"

#include "runtime/base/assert.hpp"

namespace quell::storage::sqlite {

Finish::Finish(SqliteSession& session)
    : session_(session),
      run_(session.db,
           "SELECT project, queue, attempt, lost, has, want, since, node FROM live"
           " WHERE job = ? AND epoch = ? AND place = 2"),
      end_(session.db,
           "UPDATE OR ROLLBACK job SET state = ?, epoch = ?, attempt = ?, lost = ?, has = ?, "
           "started = ?,"
           " finished = ?, expires = ?, node = ? WHERE id = ?"),
      delete_live_(session.db, "DELETE FROM live WHERE job = ?"),
      back_(session.db,
            "UPDATE OR ROLLBACK live SET place = ?, due = ?, attempt = ?, has = ?, node = NULL, "
            "life = NULL,"
            " want = 0 WHERE job = ?"),
      has_(session.db, "UPDATE OR ROLLBACK job SET has = ? WHERE id = ?"),
      result_(
          session.db,
          "INSERT INTO result (job, body, error, until) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
          " SET body = excluded.body, error = excluded.error, until = excluded.until"),
      no_result_(session.db, "DELETE FROM result WHERE job = ?"),
      usage_(session.db,
             "INSERT INTO progress (job, phase, usage) VALUES (?, '', ?)"
             " ON CONFLICT DO UPDATE SET usage = excluded.usage"),
      attempt_(session.db,
               "INSERT OR REPLACE INTO attempt (job, n, started, ended, outcome, error, node)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)") {}

bool Finish::fenced(JobId job, int epoch, Run& run) {
  Rows row = run_.rows(job, epoch);
  if (!row.next()) return false;
  run.project = row.view(0);
  run.queue = row.view(1);
  run.attempt = row.number(2);
  run.lost = row.number(3);
  run.has = row.number(4);
  run.cancel_requested = row.number(5) == 1;
  run.since = row.maybe_instant(6);
  run.node = row.maybe_uuid(7);
  return true;
}

FinishResult Finish::apply(const FinishOp& op) {
  FinishResult result;
  Run run;
  if (!fenced(op.job, op.epoch, run)) return result;
  const bool hands_over = op.event == JobEvent::hand_over;
  const std::optional<JobEvent> event = end_of_run(op.event, run.cancel_requested);
  if (!event) return result;
  QUELL_ASSERT(event != JobEvent::retry || op.due);
  const std::optional<JobState> to = decide(JobState::running, *event);
  QUELL_ASSERT(to);
  result.written = true;
  result.state = *to;
  const std::optional<Instant> never;
  const bool result_ends = is_final(*to) && !op.result.empty();
  int has = write_side_rows(op, run, !hands_over, result_ends ? op.result_expires : never);
  if (event != op.event) {
    JobHead head;
    head.project = run.project;
    head.has = run.has;
    has |= session_.tell(op.job, head, told_by_webhook(*event), *to, op.now);
  } else if (!op.deliveries.empty()) {
    session_.insert_deliveries(op.job, op.deliveries);
    has |= has_deliveries;
  }
  const int attempt = run.attempt + (hands_over ? 0 : 1);
  if (is_final(*to)) {
    end_.run(stored(*to), op.epoch, attempt, run.lost, has, run.since, op.now, op.expires, run.node,
             op.job);
    delete_live_.run(op.job);
  } else {
    const std::optional<Instant>& due = *to == JobState::scheduled ? op.due : never;
    back_.run(static_cast<int>(*to), due, attempt, has, op.job);
    if (has != run.has) has_.run(has, op.job);
  }
  session_.tally.moved(run.project, run.queue, JobState::running, *to);
  return result;
}

// Returns the new `has`.
int Finish::write_side_rows(const FinishOp& op, const Run& run, bool counts,
                            std::optional<Instant> result_until) {
  int has = run.has;
  if (counts && (!op.result.empty() || !op.error.empty())) {
    result_.run(op.job, op.result, op.error, result_until);
    has |= has_result;
  } else if (counts && (has & has_result)) {
    no_result_.run(op.job);
    has &= ~has_result;
  }
  if (!op.usage.empty()) {
    usage_.run(op.job, op.usage);
    has |= has_progress;
  }
  if (op.attempt) {
    const AttemptRecord& one = *op.attempt;
    attempt_.run(op.job, one.n, one.started, one.ended, one.outcome, one.error, one.node);
    has |= has_attempts;
  }
  return has;
}

}  // namespace quell::storage::sqlite
