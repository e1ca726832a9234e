#include "storage/postgres/verbs/claim.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query move_due{
    "due",
    "WITH c AS MATERIALIZED (SELECT job FROM live WHERE place = 0 AND due <= $1::bigint"
    " ORDER BY due, job LIMIT $2::int FOR UPDATE SKIP LOCKED), m AS ("
    " UPDATE live l SET place = 1, due = NULL FROM c WHERE l.job = c.job"
    " RETURNING l.project, l.queue)"
    " SELECT project, queue, count(*) FROM m GROUP BY project, queue ORDER BY queue"};

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
    session_.came_back(queue);
  }
  return result;
}

std::vector<ClaimedJob> Claim::apply(const ClaimOp& op) {
  if (op.limit <= 0 || !nodes_.may_claim(op.owner)) return {};
  return op.limits.any() ? claim_limited(limits_, op, turns_) : claim_rows_.oldest(op, op.limit);
}

}  // namespace quell::storage::postgres
