#include "storage/sqlite/verbs/archivist.hpp"

#include "runtime/base/assert.hpp"
#include "storage/sqlite/connection/codes.hpp"

namespace quell::storage::sqlite {

Archivist::Archivist(Connection& db)
    : job_(db,
           "SELECT j.project, j.queue, j.kind, j.prio, j.epoch, j.attempt, j.lost,"
           " j.started, j.finished, j.expires, p.args, p.meta, p.ukey, r.body, r.error,"
           " g.usage, g.progress, g.phase, r.until"
           " FROM job j LEFT JOIN payload p ON p.job = j.id LEFT JOIN result r ON r.job = j.id"
           " LEFT JOIN progress g ON g.job = j.id"
           " WHERE j.id = ?"),
      attempts_(db,
                "SELECT n, started, ended, outcome, error, node FROM attempt WHERE job = ?"
                " ORDER BY n"),
      steps_(db, "SELECT name, body FROM step WHERE job = ? ORDER BY n"),
      partials_(db, "SELECT body FROM partial WHERE job = ? ORDER BY n"),
      logs_(db, "SELECT at, level, body FROM log WHERE job = ? ORDER BY n"),
      insert_(
          db,
          "INSERT OR REPLACE INTO archive (id, delete_id, until, body, project, queue, kind, prior,"
          " at) VALUES (?, ?, ?, CAST(? AS BLOB), ?, ?, ?, ?, ?)") {}

ArchiveRecord Archivist::record_of(JobId job, const Leave& leave) {
  const int has = leave.has;
  ArchiveRecord out;
  out.id = job;
  out.was = leave.was;
  out.due = leave.due;
  {
    Rows row = job_.rows(job);
    QUELL_ASSERT(row.next());
    out.project = row.text(0);
    out.queue = row.text(1);
    out.kind = row.text(2);
    out.priority = row.number(3);
    out.epoch = row.number(4);
    out.attempt = row.number(5);
    out.lost = row.number(6);
    out.started = row.maybe_instant(7);
    out.finished = row.maybe_instant(8);
    out.expires = row.maybe_instant(9);
    out.args = row.text(10);
    out.options = row.text(11);
    if (!row.is_null(12)) out.unique_key = row.text(12);
    out.result = row.text(13);
    out.error = row.text(14);
    out.usage = row.text(15);
    if (!row.is_null(16)) out.progress = row.real(16);
    out.phase = row.text(17);
    out.result_expires = row.maybe_instant(18);
  }
  if (has & has_attempts)
    for (Rows row = attempts_.rows(job); row.next();)
      out.attempts.push_back({row.number(0), row.maybe_instant(1), row.instant(2), row.text(3),
                              row.text(4), row.text(5)});
  if (has & has_steps)
    for (Rows row = steps_.rows(job); row.next();) out.steps.push_back({row.text(0), row.text(1)});
  if (has & has_partials)
    for (Rows row = partials_.rows(job); row.next();) out.partials.push_back(row.text(0));
  if (has & has_logs)
    for (Rows row = logs_.rows(job); row.next();)
      out.logs.push_back({row.instant(0), row.text(1), row.text(2)});
  return out;
}

void Archivist::keep(JobId job, const Leave& leave) {
  const ArchiveRecord record = record_of(job, leave);
  insert_.run(job, leave.delete_id, leave.until, packer_.pack(record), record.project, record.queue,
              record.kind, static_cast<int>(record.was), leave.now);
}

}  // namespace quell::storage::sqlite
