#include "storage/sqlite/verbs/claim.hpp"

#include <set>

namespace quell::storage::sqlite {

Claim::Claim(SqliteSession& session)
    : session_(session),
      claim_rows_(session),
      limits_(session, claim_rows_),
      due_(session.db,
           "SELECT job, project, queue FROM live WHERE place = 0 AND due <= ?"
           " ORDER BY due, job LIMIT ?"),
      to_queue_(session.db, "UPDATE OR ROLLBACK live SET place = 1, due = NULL WHERE job = ?") {}

DueResult Claim::apply(const DueOp& op) {
  DueResult result;
  std::set<std::string> queues;
  std::vector<JobId> jobs;
  for (Rows row = due_.rows(op.now, op.limit); row.next();) {
    jobs.push_back(row.uuid(0));
    session_.tally.moved(row.view(1), row.view(2), JobState::scheduled, JobState::queued);
    queues.emplace(row.view(2));
  }
  for (const JobId& job : jobs) to_queue_.run(job);
  result.moved = static_cast<int>(jobs.size());
  result.queues.assign(queues.begin(), queues.end());
  return result;
}

std::vector<ClaimedJob> Claim::apply(const ClaimOp& op) {
  if (op.limit <= 0 || !session_.may_claim(op.owner)) return {};
  return op.limits.any() ? claim_limited(limits_, op, turns_) : claim_rows_.oldest(op, op.limit);
}

}  // namespace quell::storage::sqlite
