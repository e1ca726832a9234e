#include "storage/sqlite/verbs/erase_many.hpp"

#include "runtime/base/assert.hpp"
#include "storage/sqlite/connection/codes.hpp"
#include "storage/sqlite/verbs/eraser.hpp"

namespace quell::storage::sqlite {

namespace {

#define QUELL_OF_THEM " IN (SELECT id FROM leaving)"

// Of the writer's connection alone, and empty between two commits.
bool make_table(Connection& db) {
  db.execute(
      "CREATE TEMP TABLE leaving (id BLOB PRIMARY KEY NOT NULL, epoch INTEGER NOT NULL,"
      " prior INTEGER NOT NULL, attempt INTEGER NOT NULL, lost INTEGER NOT NULL, started INTEGER,"
      " story TEXT NOT NULL) WITHOUT ROWID");
  return true;
}

}  // namespace

EraseMany::EraseMany(SqliteSession& session)
    : session_(session),
      is_made_(make_table(session.db)),
      add_(session.db, "INSERT INTO leaving VALUES (?, ?, ?, ?, ?, ?, ?)"),
      // The row goes in the same transaction: the law and the fence ask for no more than this.
      mark_(session.db,
            "UPDATE OR ROLLBACK job SET state = 4, delete_id = ? WHERE id" QUELL_OF_THEM),
      live_(session.db, "DELETE FROM live WHERE job" QUELL_OF_THEM),
      tomb_(session.db, QUELL_INSERT_TOMB
            " SELECT l.id, ?, l.epoch, ?, ?, l.prior, ?, l.story, j.project, j.queue, j.kind,"
            " l.attempt, l.lost, l.started, j.finished, j.node, j.schedule FROM leaving l"
            " CROSS JOIN job j ON j.id = l.id WHERE true" QUELL_OVER_OLD_TOMB),
      job_(session.db, "DELETE FROM job WHERE id" QUELL_OF_THEM " AND delete_id = ?"),
      forget_(session.db, "DELETE FROM leaving") {
  const auto side = [this](int bit, const char* sql) {
    sides_.push_back({bit, std::make_unique<Statement>(session_.db, sql)});
  };
  side(has_payload, "DELETE FROM payload WHERE job" QUELL_OF_THEM);
  side(has_result, "DELETE FROM result WHERE job" QUELL_OF_THEM);
  side(has_steps, "DELETE FROM step WHERE job" QUELL_OF_THEM);
  side(has_partials, "DELETE FROM partial WHERE job" QUELL_OF_THEM);
  side(has_logs, "DELETE FROM log WHERE job" QUELL_OF_THEM);
  side(has_attempts, "DELETE FROM attempt WHERE job" QUELL_OF_THEM);
  side(has_progress, "DELETE FROM progress WHERE job" QUELL_OF_THEM);
}

#undef QUELL_OF_THEM

void EraseMany::add(JobId job, const JobHead& head, int epoch, const std::string& story) {
  add_.run(job, epoch, static_cast<int>(head.state), head.attempt, head.lost, head.started, story);
  ++jobs_;
  waited_ += is_final(head.state) ? 0 : 1;
  has_ |= head.has;
}

void EraseMany::write(const MarkOp& op) {
  if (jobs_ == 0) return;
  mark_.run(op.delete_id);
  if (waited_ > 0) live_.run();
  for (const Side& side : sides_)
    if (has_ & side.bit) side.erase->run();
  tomb_.run(op.delete_id, op.now, op.tomb_until, static_cast<int>(Verdict::not_running));
  const int erased = job_.run(op.delete_id);
  QUELL_ASSERT(erased == jobs_);
  forget_.run();
  begin();
}

}  // namespace quell::storage::sqlite
