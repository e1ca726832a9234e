#include "storage/sqlite/verbs/restore.hpp"

namespace quell::storage::sqlite {

Restore::Restore(SqliteSession& session)
    : session_(session),
      copy_(session.db,
            "SELECT delete_id, at, body FROM archive WHERE id = ?1 AND until > ?2"
            " AND (?3 IS NULL OR delete_id = ?3)"),
      taken_(
          session.db,
          "SELECT EXISTS (SELECT 1 FROM job WHERE id = ?1) OR"
          " EXISTS (SELECT 1 FROM ticket WHERE job = ?1), (SELECT epoch FROM tomb WHERE id = ?1)"),
      key_(session.db,
           "SELECT job FROM live WHERE project = ?1 AND ukey = ?2 UNION ALL"
           " SELECT job FROM ticket WHERE project = ?1 AND ukey = ?2"),
      let_in_(session.db, "UPDATE tomb SET restored_epoch = ? WHERE id = ?"),
      job_(session.db,
           "INSERT OR ROLLBACK INTO job (id, project, queue, kind, prio, state, epoch, attempt,"
           " lost, has, started, finished, expires, schedule)"
           " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      live_(
          session.db,
          "INSERT OR ROLLBACK INTO live (job, project, queue, kind, pk, place, epoch, attempt,"
          " lost, has, since, due, ukey, lkey) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      payload_(session.db, "INSERT INTO payload (job, args, meta, ukey) VALUES (?, ?, ?, ?)"),
      result_(session.db, "INSERT INTO result (job, body, error, until) VALUES (?, ?, ?, ?)"),
      progress_(session.db,
                "INSERT INTO progress (job, progress, phase, usage) VALUES (?, ?, ?, ?)"),
      attempt_(session.db,
               "INSERT INTO attempt (job, n, started, ended, outcome, error, node)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)"),
      step_(session.db, "INSERT INTO step (job, n, name, body) VALUES (?, ?, ?, ?)"),
      partial_(session.db, "INSERT INTO partial (job, n, body) VALUES (?, ?, ?)"),
      log_(session.db, "INSERT INTO log (job, n, at, level, body) VALUES (?, ?, ?, ?, ?)"),
      drop_(session.db, "DELETE FROM archive WHERE id = ?") {}

std::optional<Restore::Copy> Restore::find(const RestoreOp& op) {
  Rows row = copy_.rows(op.job, op.now, op.delete_id);
  if (!row.next()) return std::nullopt;
  return Copy{row.uuid(0), row.instant(1), row.text(2)};
}

bool Restore::id_taken(JobId job, int& tomb_epoch) {
  Rows row = taken_.rows(job);
  if (!row.next() || row.number(0)) return true;
  tomb_epoch = row.number(1);  // 0 without a tombstone
  return false;
}

bool Restore::key_taken(const ArchiveRecord& record, RestoreResult& result) {
  if (!record.unique_key) return false;
  Rows row = key_.rows(record.project, *record.unique_key);
  if (!row.next()) return false;
  result.existing = row.uuid(0);
  return true;
}

RestoreResult Restore::apply(const RestoreOp& op) {
  RestoreResult result;
  std::optional<Copy> copy = find(op);
  if (!copy) return result;
  Result<ArchiveRecord> record = unpack_record(std::move(copy->body));
  if (!record) {
    result.answer = RestoreAnswer::damaged;
    return result;
  }
  if (is_other_project(op.project, record->project)) return result;
  result.was = record->was;
  result.delete_id = copy->delete_id;
  result.queue = record->queue;
  int tomb_epoch = 0;
  if (id_taken(op.job, tomb_epoch)) {
    result.answer = RestoreAnswer::id_taken;
    return result;
  }
  const RestoredJob job = restored_from(*record, tomb_epoch, copy->at, op);
  if (!is_final(job.state) && op.refuses && op.refuses(record->kind, record->args)) {
    result.answer = RestoreAnswer::refused;
    return result;
  }
  if (!is_final(job.state) && key_taken(*record, result)) {
    if (!op.drop_key) {
      result.answer = RestoreAnswer::unique_conflict;
      return result;
    }
    record->unique_key.reset();
    result.existing = {};
  }
  if (tomb_epoch > 0) let_in_.run(job.epoch, op.job);
  insert(*record, job);
  drop_.run(op.job);
  session_.tally.born(record->project, record->queue, job.state);
  session_.audit.erased(copy->delete_id, Way::restore, op.who, op.now,
                        ErasedJob{op.job, job.state, Verdict::not_running});
  result.answer = RestoreAnswer::restored;
  result.state = job.state;
  result.epoch = job.epoch;
  result.due = job.due;
  return result;
}

void Restore::insert(const ArchiveRecord& record, const RestoredJob& job) {
  const int has = insert_side_rows(record, job);
  const JobOptions options = options_from_json(record.options);
  const auto unless_empty = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  job_.run(record.id, record.project, record.queue, record.kind, record.priority, stored(job.state),
           job.epoch, record.attempt, record.lost, has, record.started, job.finished, job.expires,
           unless_empty(options.schedule));
  if (is_final(job.state)) return;
  live_.run(record.id, record.project, record.queue, record.kind, 9 - record.priority,
            static_cast<int>(job.state), job.epoch, record.attempt, record.lost, has,
            record.started, job.due, record.unique_key, unless_empty(options.limit_key));
}

// Returns the job's `has`.
int Restore::insert_side_rows(const ArchiveRecord& record, const RestoredJob& job) {
  int has = options_from_json(record.options).is_protected ? is_protected : 0;
  if (!record.args.empty() || !record.options.empty() || record.unique_key) {
    payload_.run(record.id, record.args, record.options, record.unique_key);
    has |= has_payload;
  }
  if (!record.result.empty() || !record.error.empty()) {
    result_.run(record.id, record.result, record.error, job.result_expires);
    has |= has_result;
  }
  if (record.progress || !record.phase.empty() || !record.usage.empty()) {
    progress_.run(record.id, record.progress, record.phase, record.usage);
    has |= has_progress;
  }
  for (const AttemptRecord& one : record.attempts) {
    attempt_.run(record.id, one.n, one.started, one.ended, one.outcome, one.error, one.node);
    has |= has_attempts;
  }
  int n = 0;
  for (const StepResult& one : record.steps) step_.run(record.id, ++n, one.name, one.result);
  if (n > 0) has |= has_steps;
  n = 0;
  for (const std::string& one : record.partials) partial_.run(record.id, ++n, one);
  if (n > 0) has |= has_partials;
  n = 0;
  for (const LogLine& one : record.logs) log_.run(record.id, ++n, one.at, one.level, one.text);
  if (n > 0) has |= has_logs;
  return has;
}

}  // namespace quell::storage::sqlite
