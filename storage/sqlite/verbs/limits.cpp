#include "storage/sqlite/verbs/limits.hpp"

namespace quell::storage::sqlite {

Limits::Limits(SqliteSession& session, ClaimRows& claim_rows)
    : claim_rows_(claim_rows),
      state_(session.db, "SELECT drops, at FROM queue_limit WHERE queue = ?"),
      put_state_(session.db,
                 "INSERT OR REPLACE INTO queue_limit (queue, drops, at) VALUES (?, ?, ?)"),
      running_(session.db, "SELECT count(*) FROM live WHERE place = 2 AND queue = ?"),
      // From key to key by the index: what waits behind a key is not walked over.
      keys_(session.db,
            "WITH RECURSIVE k (lkey) AS ("
            " SELECT min(lkey) FROM live WHERE place = 1 AND queue = ?1 AND lkey > ?2"
            " UNION ALL"
            " SELECT (SELECT min(lkey) FROM live WHERE place = 1 AND queue = ?1 AND lkey > k.lkey)"
            " FROM k WHERE k.lkey IS NOT NULL AND (?3 IS NULL OR k.lkey < ?3) LIMIT ?4)"
            " SELECT k.lkey, CASE WHEN ?5 THEN (SELECT count(*) FROM live WHERE place = 2"
            " AND queue = ?1 AND lkey = k.lkey) ELSE 0 END, b.drops, b.at FROM k"
            " LEFT JOIN key_bucket b ON b.queue = ?1 AND b.lkey = k.lkey"
            " WHERE k.lkey IS NOT NULL AND (?3 IS NULL OR k.lkey <= ?3)"),
      put_key_(session.db,
               "INSERT OR REPLACE INTO key_bucket (queue, lkey, drops, at, until)"
               " VALUES (?, ?, ?, ?, ?)"),
      window_(session.db,
              "SELECT job, pk, lkey IS NULL FROM live WHERE place = 1 AND queue = ?"
              " AND (pk, job) > (?, ?) ORDER BY pk, job LIMIT ?") {}

// One process writes, and it is in its transaction.
std::optional<TokenBucket> Limits::lock(const std::string& queue) {
  Rows row = state_.rows(queue);
  if (!row.next() || row.is_null(0)) return std::nullopt;
  return TokenBucket{row.big(0), row.instant(1)};
}

std::int64_t Limits::running(const std::string& queue) {
  Rows row = running_.rows(queue);
  return row.next() ? row.big(0) : 0;
}

std::vector<KeyDemand> Limits::keys(const ClaimOp& op, const std::string& after,
                                    const std::optional<std::string>& to, int most) {
  std::vector<KeyDemand> found;
  for (Rows row = keys_.rows(op.queue, after, to, most, op.limits.per_key > 0); row.next();) {
    KeyDemand& one = found.emplace_back();
    one.key = row.text(0);
    one.waiting = plenty;
    one.running = row.big(1);
    if (!row.is_null(2)) one.bucket = TokenBucket{row.big(2), row.instant(3)};
  }
  return found;
}

std::int64_t Limits::waiting_without_key(const ClaimOp& op, int deep) {
  const KeylessWindow::Place from = keyless_.from(op.queue);
  KeylessWindow::Place end = from;
  const int most = keyless_.rows(op.queue, deep);
  int rows = 0;
  keyless_.begin();
  for (Rows row = window_.rows(op.queue, from.pk, from.job, most); row.next(); ++rows) {
    end = {row.number(1), row.uuid(0)};
    if (row.number(2)) keyless_.found(end.job);
  }
  keyless_.looked(op.queue, static_cast<std::size_t>(deep), rows == most, end);
  return static_cast<std::int64_t>(keyless_.size());
}

std::vector<ClaimedJob> Limits::take_oldest(const ClaimOp& op, int n) {
  return claim_rows_.oldest(op, n);
}

std::vector<ClaimedJob> Limits::take(const ClaimOp& op, const std::vector<KeyShare>& shares,
                                     std::vector<int>& got) {
  std::vector<ClaimedJob> claimed;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const auto& [key, n] = shares[i];
    auto some = key.empty() ? claim_rows_.these(op, keyless_.next(n))
                            : claim_rows_.oldest_of_key(op, key, n);
    got[i] = static_cast<int>(some.size());
    std::move(some.begin(), some.end(), std::back_inserter(claimed));
  }
  return claimed;
}

void Limits::write(const std::string& queue, const TokenBucket& bucket) {
  put_state_.run(queue, bucket.drops, bucket.at);
}

void Limits::write(const std::string& queue, const Rate& rate,
                   const std::vector<KeyBucket>& buckets) {
  for (const auto& [key, bucket] : buckets)
    put_key_.run(queue, key, bucket.drops, bucket.at, full_at(rate, bucket));
}

}  // namespace quell::storage::sqlite
