#include "storage/sqlite/archivist.hpp"

#include "runtime/assert.hpp"
#include "storage/sqlite/codes.hpp"

namespace quell::storage::sqlite {

Archivist::Archivist(Connection& db)
    : job_(db,
           "SELECT j.project, j.queue, j.kind, j.prio, j.epoch, j.attempt, j.lost,"
           " j.started, j.finished, j.expires, p.args, p.meta, p.ukey, r.body, r.error,"
           " g.usage"
           " FROM job j LEFT JOIN payload p ON p.job = j.id LEFT JOIN result r ON r.job = j.id"
           " LEFT JOIN progress g ON g.job = j.id"
           " WHERE j.id = ?"),
      attempts_(db,
                "SELECT n, started, ended, outcome, error, node FROM attempt WHERE job = ?"
                " ORDER BY n"),
      steps_(db, "SELECT name, body FROM step WHERE job = ? ORDER BY n"),
      partials_(db, "SELECT body FROM partial WHERE job = ? ORDER BY n"),
      logs_(db, "SELECT at, level, body FROM log WHERE job = ? ORDER BY n"),
      insert_(db,
              "INSERT INTO archive (id, delete_id, until, body) VALUES (?, ?, ?, CAST(? AS BLOB))"
              " ON CONFLICT (id) DO UPDATE SET delete_id = excluded.delete_id,"
              " until = excluded.until, body = excluded.body") {}

ArchiveRecord Archivist::record_of(JobId job, JobState was, int has) {
  ArchiveRecord out;
  out.id = job;
  out.was = was;
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

void Archivist::keep(JobId job, DeleteId delete_id, JobState was, int has, Instant until) {
  insert_.run(job, delete_id, until, packer_.pack(record_of(job, was, has)));
}

}  // namespace quell::storage::sqlite
