#include "storage/sqlite/verbs/expire.hpp"

namespace quell::storage::sqlite {

Expire::Expire(SqliteSession& session)
    : session_(session),
      old_copies_(session.db,
                  "SELECT id, delete_id, prior FROM archive WHERE until <= ? ORDER BY until, id"
                  " LIMIT ?"),
      drop_copy_(session.db, "DELETE FROM archive WHERE id = ?"),
      // 256: a protected job keeps its result too.
      old_results_(session.db,
                   "SELECT r.job, j.state, j.queue, p.meta FROM result r JOIN job j ON j.id = r.job"
                   " LEFT JOIN payload p ON p.job = r.job"
                   " WHERE r.until IS NOT NULL AND r.body <> '' AND r.until <= ?"
                   " AND j.state BETWEEN 1 AND 3 AND j.has & 256 = 0 ORDER BY r.until, r.job"),
      drop_result_(session.db, "UPDATE result SET body = '' WHERE job = ?"),
      partials_(session.db, "DELETE FROM partial WHERE job = ?"),
      steps_(session.db, "DELETE FROM step WHERE job = ?"),
      bits_(session.db, "UPDATE job SET has = has & ~12 WHERE id = ?") {
  static_assert((has_steps | has_partials) == 12 && is_protected == 256);
}

bool Expire::may_end(const ExpireOp& op, const Rows& row) {
  if (!op.protection) return true;
  return !op.protection->covers(row.text(2), options_from_json(row.text(3)).tags);
}

std::vector<Expire::Ended> Expire::ended(const ExpireOp& op) {
  std::vector<Ended> all;
  if (op.what == ExpireOp::What::copies) {
    for (Rows row = old_copies_.rows(op.now, op.limit); row.next();)
      all.push_back({row.uuid(0), row.uuid(1), static_cast<JobState>(row.number(2))});
  } else {
    for (Rows row = old_results_.rows(op.now); std::ssize(all) < op.limit && row.next();)
      if (may_end(op, row)) all.push_back({row.uuid(0), op.sweep, shown(row.number(1), 0)});
  }
  return all;
}

ExpireResult Expire::apply(const ExpireOp& op) {
  const bool copies = op.what == ExpireOp::What::copies;
  const std::vector<Ended> all = ended(op);
  for (const Ended& one : all) {
    if (copies) {
      drop_copy_.run(one.job);
    } else {
      drop_result_.run(one.job);
      partials_.run(one.job);
      steps_.run(one.job);
      bits_.run(one.job);
    }
    session_.audit.erased(one.call, copies ? Way::copy_end : Way::result_end, op.who, op.now,
                          ErasedJob{one.job, one.state, Verdict::not_running});
  }
  return {static_cast<int>(all.size()), static_cast<int>(all.size()) == op.limit};
}

}  // namespace quell::storage::sqlite
