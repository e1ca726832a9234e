#include "storage/postgres/claim.hpp"

#include <algorithm>
#include <tuple>

namespace quell::storage::postgres {

namespace {

constexpr Query move_due{
    "due",
    "WITH c AS MATERIALIZED (SELECT job FROM live WHERE place = 0 AND due <= $1::bigint"
    " ORDER BY due, job LIMIT $2::int FOR UPDATE SKIP LOCKED), m AS ("
    " UPDATE live l SET place = 1, due = NULL FROM c WHERE l.job = c.job"
    " RETURNING l.project, l.queue)"
    " SELECT project, queue, count(*) FROM m GROUP BY project, queue ORDER BY queue"};

constexpr Query claim_jobs{
    "claim",
    "WITH c AS MATERIALIZED (SELECT job FROM live WHERE place = 1 AND queue = $1::text AND"
    " (pk, job) > ($2::smallint, $3::uuid) ORDER BY pk, job LIMIT $4::int FOR UPDATE SKIP LOCKED)"
    " UPDATE live l SET place = 2, epoch = l.epoch + 1, node = $5::uuid, life = $6::bigint,"
    " since = $7::bigint FROM c LEFT JOIN payload p ON p.job = c.job WHERE l.job = c.job"
    " RETURNING l.job, l.pk, l.epoch, l.attempt, l.lost, l.has, l.kind, l.project, p.args, p.meta"};

}  // namespace

DueResult Claim::apply(const DueOp& op) {
  DueResult result;
  const Rows rows = session_.db.run(move_due, op.now, op.limit);
  for (const Row row : rows) {
    const std::string queue = row.text(1);
    const int n = row.number(2);
    for (int i = 0; i < n; ++i)
      session_.tally.moved(row.view(0), queue, JobState::scheduled, JobState::queued);
    result.moved += n;
    if (result.queues.empty() || result.queues.back() != queue) result.queues.push_back(queue);
    session_.cursors.erase(queue);
  }
  return result;
}

std::vector<ClaimedJob> Claim::apply(const ClaimOp& op) {
  std::vector<ClaimedJob> claimed;
  if (op.limit <= 0 || !nodes_.may_claim(op.owner)) return claimed;
  const auto now = std::chrono::steady_clock::now();
  const auto limit = static_cast<std::size_t>(op.limit);
  const auto known = session_.cursors.find(op.queue);
  const bool goes_on =
      known != session_.cursors.end() && now - known->second.since < ClaimCursor::lifetime;
  ClaimCursor next{-1, {}, now};
  if (goes_on) {
    next = known->second;
    take(op, next, claimed);  // and moves it on
  }
  // Behind the cursor there were not enough: the queue is as empty as its start says.
  if (claimed.size() < limit) {
    ClaimOp rest = op;
    rest.limit = static_cast<int>(limit - claimed.size());
    next = ClaimCursor{-1, {}, now};
    take(rest, next, claimed);
  }
  if (claimed.size() < limit) {
    session_.cursors.erase(op.queue);
  } else {
    session_.cursors[op.queue] = next;
  }
  return claimed;
}

void Claim::take(const ClaimOp& op, ClaimCursor& cursor, std::vector<ClaimedJob>& claimed) {
  const Rows rows = session_.db.run(claim_jobs, op.queue, cursor.pk, cursor.job, op.limit,
                                    op.owner.node, op.owner.life, op.now);
  struct Taken {
    int pk;
    ClaimedJob job;
  };
  std::vector<Taken> taken;
  taken.reserve(rows.size());
  for (const Row row : rows) {
    Taken& one = taken.emplace_back();
    one.pk = row.number(1);
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
    return std::tie(a.pk, a.job.job) < std::tie(b.pk, b.job.job);
  });
  if (!taken.empty()) {
    cursor.pk = taken.back().pk;
    cursor.job = taken.back().job.job;
  }
  for (Taken& one : taken) claimed.push_back(std::move(one.job));
}

}  // namespace quell::storage::postgres
