#include "storage/postgres/verbs/limits.hpp"

namespace quell::storage::postgres {

namespace {

// From here to the end of the transaction nothing is sorted that an index has in order. VACUUM may
// have looked at a moment when nothing waited; the planner would then read all that waits, and sort
// it, for each key.
constexpr Query lock_limit{
    "limit_lock",
    "SELECT drops, at, set_config('enable_sort', 'off', true) FROM queue_limit"
    " WHERE queue = $1::text FOR UPDATE"};
constexpr Query add_limit{
    "limit_add", "INSERT INTO queue_limit (queue) VALUES ($1::text) ON CONFLICT DO NOTHING"};
constexpr Query write_limit{"limit_write",
                            "UPDATE queue_limit SET drops = $2::bigint, at = $3::bigint"
                            " WHERE queue = $1::text"};
constexpr Query write_buckets{
    "limit_buckets",
    "INSERT INTO key_bucket (queue, lkey, drops, at, until) SELECT $1::text, f.* FROM"
    " unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) f ON CONFLICT (queue, lkey)"
    " DO UPDATE SET drops = excluded.drops, at = excluded.at, until = excluded.until"};
// All that runs, whoever's: the index of what runs is walked. It is as long as all pools together.
constexpr Query count_running{"limit_running",
                              "SELECT count(*) FROM live WHERE place = 2 AND queue = $1::text"};
// From key to key by the index: what waits behind a key is not walked over. (A key is asked for as
// a range, and its rows in order: no other index offers that.)
constexpr Query read_keys{
    "limit_keys",
    "WITH RECURSIVE k (lkey, n) AS ("
    " (SELECT lkey, 1 FROM live WHERE place = 1 AND queue = $1::text AND lkey > $2::text"
    " ORDER BY lkey LIMIT 1)"
    " UNION ALL"
    " SELECT (SELECT l.lkey FROM live l WHERE l.place = 1 AND l.queue = $1::text AND"
    " l.lkey > k.lkey ORDER BY l.lkey LIMIT 1), n + 1 FROM k WHERE k.lkey IS NOT NULL AND"
    " n < $4::int AND ($3::text IS NULL OR k.lkey < $3::text))"
    " SELECT k.lkey, CASE WHEN $5::bool THEN (SELECT count(*) FROM (SELECT 1 FROM live r WHERE"
    " r.place = 2 AND r.queue = $1::text AND r.lkey >= k.lkey AND r.lkey <= k.lkey ORDER BY r.lkey)"
    " one) ELSE 0 END, b.drops, b.at"
    " FROM k LEFT JOIN LATERAL (SELECT drops, at FROM key_bucket WHERE queue = $1::text AND"
    " lkey = k.lkey OFFSET 0) b ON true"
    " WHERE k.lkey IS NOT NULL AND ($3::text IS NULL OR k.lkey <= $3::text) ORDER BY k.n"};
// Those without a key, and the last row of a window that is full.
constexpr Query look_through{
    "limit_window",
    "SELECT job, pk, lkey IS NULL, n FROM (SELECT job, pk, lkey, row_number() OVER () AS n FROM"
    " (SELECT job, pk, lkey FROM live WHERE place = 1 AND queue = $1::text AND"
    " (pk, job) > ($2::smallint, $3::uuid) ORDER BY pk, job LIMIT $4::int) f) w"
    " WHERE lkey IS NULL OR n = $4::int ORDER BY n"};

}  // namespace

void Limits::lock_all(const std::vector<ClaimOp>& ops) {
  locked_.clear();
  for (const ClaimOp& op : ops)
    if (op.limits.any() && op.limit > 0) locked_[op.queue];
  for (auto& [queue, bucket] : locked_) bucket = lock_row(queue);
}

std::optional<TokenBucket> Limits::lock_row(const std::string& queue) {
  while (true) {
    const Rows rows = session_.db.run(lock_limit, queue);
    if (rows.empty()) {
      session_.db.run(add_limit, queue);
      continue;
    }
    if (rows[0].is_null(0)) return std::nullopt;
    return TokenBucket{rows[0].big(0), rows[0].instant(1)};
  }
}

std::optional<TokenBucket> Limits::lock(const std::string& queue) {
  return locked_.at(queue);
}

std::int64_t Limits::running(const std::string& queue) {
  return session_.db.run(count_running, queue)[0].big(0);
}

std::vector<KeyDemand> Limits::keys(const ClaimOp& op, const std::string& after,
                                    const std::optional<std::string>& to, int most) {
  std::vector<KeyDemand> found;
  const Rows rows = session_.db.run(read_keys, op.queue, after, to, most, op.limits.per_key > 0);
  for (const Row row : rows) {
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
  keyless_.begin();
  const Rows rows = session_.db.run(look_through, op.queue, from.pk, from.job, most);
  bool was_full = false;
  for (const Row row : rows) {
    end = {row.number(1), row.uuid(0)};
    was_full = row.number(3) == most;
    if (row.yes(2)) keyless_.found(end.job);
  }
  keyless_.looked(op.queue, static_cast<std::size_t>(deep), was_full, end);
  return static_cast<std::int64_t>(keyless_.size());
}

std::vector<ClaimedJob> Limits::take_oldest(const ClaimOp& op, int n) {
  return claim_rows_.oldest(op, n);
}

std::vector<ClaimedJob> Limits::take(const ClaimOp& op, const std::vector<KeyShare>& shares,
                                     std::vector<int>& got) {
  std::vector<ClaimedJob> claimed = claim_rows_.of_keys(op, shares, got);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!shares[i].first.empty()) continue;
    auto some = claim_rows_.these(op, keyless_.next(shares[i].second));
    got[i] = static_cast<int>(some.size());
    std::move(some.begin(), some.end(), std::back_inserter(claimed));
  }
  return claimed;
}

void Limits::write(const std::string& queue, const TokenBucket& bucket) {
  session_.db.write(write_limit, queue, bucket.drops, bucket.at);
  locked_[queue] = bucket;
}

void Limits::write(const std::string& queue, const Rate& rate,
                   const std::vector<KeyBucket>& buckets) {
  ArrayLiteral keys, drops, at, until;
  for (const auto& [key, bucket] : buckets) {
    keys.add(key);
    drops.add(bucket.drops);
    at.add(bucket.at);
    until.add(full_at(rate, bucket));
  }
  session_.db.write(write_buckets, queue, keys, drops, at, until);
}

}  // namespace quell::storage::postgres
