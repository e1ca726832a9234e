#include "storage/sqlite/verbs/flush.hpp"

namespace quell::storage::sqlite {

Flush::Flush(SqliteSession& session)
    : fence_(session.db, "SELECT has FROM live WHERE job = ? AND epoch = ? AND place = 2"),
      progress_(session.db,
                "INSERT INTO progress (job, progress, phase, usage)"
                " VALUES (?1, ?2, coalesce(?3, ''), coalesce(?4, ''))"
                " ON CONFLICT DO UPDATE SET progress = coalesce(?2, progress),"
                " phase = coalesce(?3, phase), usage = coalesce(?4, usage)"),
      partial_(session.db,
               "INSERT INTO partial (job, n, body) VALUES"
               " (?1, (SELECT coalesce(max(n), 0) + 1 FROM partial WHERE job = ?1), ?2)"),
      log_(session.db,
           "INSERT INTO log (job, n, at, level, body) VALUES"
           " (?1, (SELECT coalesce(max(n), 0) + 1 FROM log WHERE job = ?1), ?2, ?3, ?4)"),
      step_(session.db,
            "INSERT INTO step (job, n, name, body) VALUES"
            " (?1, (SELECT coalesce(max(n), 0) + 1 FROM step WHERE job = ?1), ?2, ?3)"),
      step_again_(session.db, "UPDATE step SET body = ? WHERE job = ? AND name = ?"),
      job_has_(session.db, "UPDATE OR ROLLBACK job SET has = ? WHERE id = ?"),
      live_has_(session.db, "UPDATE OR ROLLBACK live SET has = ? WHERE job = ?") {}

bool Flush::apply(const FlushOp& op) {
  int before = 0;
  {
    Rows row = fence_.rows(op.job, op.epoch);
    if (!row.next()) return false;
    before = row.number(0);
  }
  int has = before;
  if (op.progress || op.phase || op.usage) {
    progress_.run(op.job, op.progress, op.phase, op.usage);
    has |= has_progress;
  }
  for (const std::string& text : op.partials) partial_.run(op.job, text);
  for (const LogLine& line : op.logs) log_.run(op.job, line.at, line.level, line.text);
  for (const StepResult& step : op.steps)
    if (step_again_.run(step.result, op.job, step.name) == 0)
      step_.run(op.job, step.name, step.result);
  if (!op.partials.empty()) has |= has_partials;
  if (!op.logs.empty()) has |= has_logs;
  if (!op.steps.empty()) has |= has_steps;
  if (has != before) {
    job_has_.run(has, op.job);
    live_has_.run(has, op.job);
  }
  return true;
}

}  // namespace quell::storage::sqlite
