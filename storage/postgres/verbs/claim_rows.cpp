#include "storage/postgres/verbs/claim_rows.hpp"

#include <algorithm>
#include <tuple>

#include "storage/postgres/working_set/by_key.hpp"

namespace quell::storage::postgres {

namespace {

// `c` has the jobs, locked, where they are and a rank. What is locked stays where it is: no second
// look into an index for it.
#define QUELL_TAKE \
  " UPDATE live l SET place = 2, epoch = l.epoch + 1, node = $1::uuid, life = $2::bigint," \
  " since = $3::bigint FROM c" QUELL_BY_KEY("payload", "job = c.job", "p")                 \
  " WHERE l.ctid = c.at RETURNING l.job, l.pk, l.epoch, l.attempt, l.lost, l.has, l.kind," \
  " l.project, p.args, p.meta, c.rank"

constexpr Query take_oldest{
    "claim",
    "WITH c AS MATERIALIZED (SELECT job, ctid AS at, 0 AS rank FROM live WHERE place = 1 AND"
    " queue = $4::text AND (pk, job) > ($5::smallint, $6::uuid) ORDER BY pk, job LIMIT $7::int"
    " FOR UPDATE SKIP LOCKED)" QUELL_TAKE};
// A key as a range: see limits.cpp.
constexpr Query take_of_keys{
    "claim_keys",
    "WITH c AS MATERIALIZED (SELECT one.job, one.at, f.rank FROM unnest($5::text[], $6::int[])"
    " WITH ORDINALITY f(lkey, n, rank), LATERAL (SELECT job, ctid AS at FROM live WHERE place = 1"
    " AND queue = $4::text AND lkey >= f.lkey AND lkey <= f.lkey ORDER BY lkey, pk, job LIMIT f.n"
    " FOR UPDATE SKIP LOCKED) one)" QUELL_TAKE};
constexpr Query take_these{"claim_these",
                           "WITH c AS MATERIALIZED (SELECT job, ctid AS at, 0 AS rank FROM live "
                           "WHERE job = ANY($4::uuid[]) AND"
                           " place = 1 FOR UPDATE SKIP LOCKED)" QUELL_TAKE};

}  // namespace

std::vector<ClaimedJob> ClaimRows::oldest(const ClaimOp& op, int n) {
  std::vector<ClaimedJob> claimed;
  const auto now = std::chrono::steady_clock::now();
  const auto limit = static_cast<std::size_t>(n);
  ClaimCursors::Look look(session_.cursors, op.queue);
  ClaimCursor next{-1, {}, now};
  if (look.start() && now - look.start()->since < ClaimCursor::lifetime) {
    next = *look.start();
    behind(op, n, next, claimed);  // and moves it on
  }
  // Behind the cursor there were not enough: the queue is as empty as its start says.
  if (claimed.size() < limit) {
    next = ClaimCursor{-1, {}, now};
    behind(op, n - static_cast<int>(claimed.size()), next, claimed);
  }
  look.ended(claimed.size() < limit ? std::nullopt : std::optional(next));
  return claimed;
}

void ClaimRows::behind(const ClaimOp& op, int n, ClaimCursor& cursor,
                       std::vector<ClaimedJob>& claimed) {
  std::vector<Taken> taken = read(op, session_.db.run(take_oldest, op.owner.node, op.owner.life,
                                                      op.now, op.queue, cursor.pk, cursor.job, n));
  if (!taken.empty()) {
    cursor.pk = taken.back().pk;
    cursor.job = taken.back().job.job;
  }
  for (Taken& one : taken) claimed.push_back(std::move(one.job));
}

std::vector<ClaimedJob> ClaimRows::of_keys(const ClaimOp& op, const std::vector<KeyShare>& shares,
                                           std::vector<int>& got) {
  ArrayLiteral keys, numbers;
  for (const auto& [key, n] : shares) {
    keys.add(key);
    numbers.add(n);
  }
  std::vector<ClaimedJob> claimed;
  for (Taken& one : read(op, session_.db.run(take_of_keys, op.owner.node, op.owner.life, op.now,
                                             op.queue, keys, numbers))) {
    ++got[static_cast<std::size_t>(one.rank - 1)];
    claimed.push_back(std::move(one.job));
  }
  return claimed;
}

std::vector<ClaimedJob> ClaimRows::these(const ClaimOp& op, const std::vector<JobId>& jobs) {
  ArrayLiteral ids;
  for (const JobId& job : jobs) ids.add(job);
  std::vector<ClaimedJob> claimed;
  for (Taken& one :
       read(op, session_.db.run(take_these, op.owner.node, op.owner.life, op.now, ids)))
    claimed.push_back(std::move(one.job));
  return claimed;
}

std::vector<ClaimRows::Taken> ClaimRows::read(const ClaimOp& op, const Rows& rows) {
  std::vector<Taken> taken;
  taken.reserve(rows.size());
  for (const Row row : rows) {
    Taken& one = taken.emplace_back();
    one.pk = row.number(1);
    one.rank = row.big(10);
    ClaimedJob& job = one.job;
    job.job = row.uuid(0);
    job.epoch = row.number(2);
    job.attempt = row.number(3) + 1;
    job.lost = row.number(4);
    job.has_steps = row.number(5) & has_steps;
    job.kind = row.text(6);
    job.project = row.text(7);
    job.args = row.bytes(8);
    job.options = row.text(9);
    session_.tally.moved(job.project, op.queue, JobState::queued, JobState::running);
  }
  std::sort(taken.begin(), taken.end(), [](const Taken& a, const Taken& b) {
    return std::tie(a.rank, a.pk, a.job.job) < std::tie(b.rank, b.pk, b.job.job);
  });
  return taken;
}

}  // namespace quell::storage::postgres
