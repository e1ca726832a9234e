#include "storage/sqlite/verbs/eraser.hpp"

#include "runtime/base/assert.hpp"

namespace quell::storage::sqlite {

Eraser::Eraser(SqliteSession& session)
    : session_(session),
      archivist_(session.db),
      tomb_(session.db,
            "INSERT INTO tomb (id, delete_id, epoch, at, until, prior, verdict)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " delete_id = excluded.delete_id, epoch = excluded.epoch, at = excluded.at,"
            " until = excluded.until, prior = excluded.prior, verdict = excluded.verdict,"
            " restored_epoch = NULL"),
      job_(session.db, "DELETE FROM job WHERE id = ? AND delete_id = ?"),
      payload_(session.db, "DELETE FROM payload WHERE job = ?"),
      result_(session.db, "DELETE FROM result WHERE job = ?"),
      step_(session.db, "DELETE FROM step WHERE job = ?"),
      partial_(session.db, "DELETE FROM partial WHERE job = ?"),
      log_(session.db, "DELETE FROM log WHERE job = ?"),
      attempt_(session.db, "DELETE FROM attempt WHERE job = ?"),
      delivery_(session.db, "DELETE FROM delivery WHERE job = ?"),
      progress_(session.db, "DELETE FROM progress WHERE job = ?"),
      doubt_(session.db, "DELETE FROM doubt WHERE job = ?") {}

void Eraser::erase(const Erasure& what, const JobHead& head, Way way) {
  const int has = head.has;
  if (what.copy_until)
    archivist_.keep(what.job,
                    {what.delete_id, what.was, has, what.now, *what.copy_until, head.due});
  if (has & has_payload) payload_.run(what.job);
  if (has & has_result) result_.run(what.job);
  if (has & has_steps) step_.run(what.job);
  if (has & has_partials) partial_.run(what.job);
  if (has & has_logs) log_.run(what.job);
  if (has & has_attempts) attempt_.run(what.job);
  if (has & has_deliveries) delivery_.run(what.job);
  if (has & has_progress) progress_.run(what.job);
  if (has & has_doubts) doubt_.run(what.job);
  const int erased = job_.run(what.job, what.delete_id);
  QUELL_ASSERT(erased == 1);
  tomb_.run(what.job, what.delete_id, head.epoch, what.now, what.tomb_until,
            static_cast<int>(what.was), static_cast<int>(what.verdict));
  session_.tally.gone(head.project, head.queue, head.state);
  session_.audit.erased(what.delete_id, way, what.who, what.now,
                        ErasedJob{what.job, what.was, what.verdict});
  session_.outbox.erased({what.delete_id, what.job, what.was, what.verdict, head.project},
                         what.now);
}

}  // namespace quell::storage::sqlite
