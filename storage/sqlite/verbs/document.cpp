#include "storage/sqlite/verbs/document.hpp"

#include "storage/notice_time.hpp"

namespace quell::storage::sqlite {

namespace {
constexpr int slice = 500;  // rows a table and round: short enough not to hold up a delete
}

Documents::Documents(SqliteSession& session)
    : call_(session.db, "UPDATE call SET counts = ?, receipt = ? WHERE delete_id = ?"),
      version_(session.db, "SELECT version FROM doc WHERE kind = ? AND id = ?"),
      put_(session.db,
           "INSERT OR REPLACE INTO doc (kind, id, project, body, version, until)"
           " VALUES (?, ?, ?, ?, ?, ?)"),
      remove_(session.db, "DELETE FROM doc WHERE kind = ? AND id = ?"),
      sealed_(session.db, "SELECT no FROM audit WHERE hash IS NOT NULL ORDER BY no DESC LIMIT 1"),
      unsealed_(session.db, "SELECT no FROM audit WHERE hash IS NULL ORDER BY no LIMIT ?"),
      seal_(session.db, "UPDATE audit SET hash = ? WHERE no = ?"),
      forgets_(session.db,
               "INSERT INTO forgotten (what, at) SELECT 'tomb', max(at) FROM"
               " (SELECT at FROM tomb WHERE until <= ? LIMIT ?) HAVING max(at) IS NOT NULL"
               " ON CONFLICT (what) DO UPDATE SET at = max(at, excluded.at)"),
      old_tombs_(session.db,
                 "DELETE FROM tomb WHERE id IN (SELECT id FROM tomb WHERE until <= ? LIMIT ?)"),
      old_calls_(session.db,
                 "DELETE FROM call WHERE delete_id IN"
                 " (SELECT delete_id FROM call WHERE until <= ? LIMIT ?)"),
      old_docs_(session.db,
                "DELETE FROM doc WHERE (kind, id) IN"
                " (SELECT kind, id FROM doc WHERE until <= ? LIMIT ?)"),
      old_buckets_(session.db,
                   "DELETE FROM key_bucket WHERE (queue, lkey) IN"
                   " (SELECT queue, lkey FROM key_bucket WHERE until <= ? LIMIT ?)"),
      old_notices_(session.db,
                   "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery"
                   " WHERE job = zeroblob(16) AND id < ? AND place = 2 ORDER BY id LIMIT ?)") {}

void Documents::apply(const CallOp& op) {
  call_.run(op.counts, op.receipt, op.delete_id);
}

DocResult Documents::apply(const DocOp& op) {
  std::int64_t version = 0;
  for (Rows row = version_.rows(op.kind, op.id); row.next();) version = row.big(0);
  if (op.if_version && *op.if_version != version) return {false, version};
  if (!op.body) {
    remove_.run(op.kind, op.id);
    return {version != 0, 0};
  }
  put_.run(op.kind, op.id, op.project, *op.body, version + 1, op.until);
  return {true, version + 1};
}

bool Documents::apply(const SealOp& op) {
  std::int64_t sealed = 0;
  for (Rows row = sealed_.rows(); row.next();) sealed = row.big(0);
  if (sealed != op.after) return false;
  std::size_t fits = 0;
  for (Rows row = unsealed_.rows(static_cast<std::int64_t>(op.hashes.size())); row.next(); ++fits)
    if (op.hashes[fits].first != row.big(0)) return false;
  if (fits != op.hashes.size()) return false;
  for (const auto& [no, hash] : op.hashes) seal_.run(hash, no);
  return true;
}

bool Documents::forget(Instant now) {
  bool more = false;
  forgets_.run(now, slice);
  for (Statement* old : {&old_tombs_, &old_calls_, &old_docs_, &old_buckets_})
    more |= old->run(now, slice) == slice;
  more |= old_notices_.run(first_id_at(now - notice_keep), slice) == slice;
  return more;
}

}  // namespace quell::storage::sqlite
