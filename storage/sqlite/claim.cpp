#include "storage/sqlite/claim.hpp"

#include <set>

namespace quell::storage::sqlite {

Claim::Claim(Session& session)
    : session_(session),
      due_(session.db,
           "SELECT job, project, queue FROM live WHERE place = 0 AND due <= ?"
           " ORDER BY due, job LIMIT ?"),
      to_queue_(session.db, "UPDATE OR ROLLBACK live SET place = 1, due = NULL WHERE job = ?"),
      next_(session.db,
            "SELECT job, epoch, attempt, lost, kind, project, has FROM live"
            " WHERE place = 1 AND queue = ? ORDER BY pk, job LIMIT ?"),
      take_(
          session.db,
          "UPDATE OR ROLLBACK live SET place = 2, epoch = epoch + 1, node = ?, life = ?, since = ?"
          " WHERE job = ?"),
      payload_(session.db, "SELECT args, meta FROM payload WHERE job = ?") {}

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

// Read first, then write row by row: the transaction is the only writer, so nothing can slip
// between the two, and it is faster than one UPDATE … RETURNING, which copies its rows to a
// temporary table.
std::vector<ClaimedJob> Claim::apply(const ClaimOp& op) {
  std::vector<ClaimedJob> claimed;
  if (op.limit <= 0 || !session_.may_claim(op.owner)) return claimed;
  for (Rows row = next_.rows(op.queue, op.limit); row.next();) {
    ClaimedJob& job = claimed.emplace_back();
    job.job = row.uuid(0);
    job.epoch = row.number(1) + 1;
    job.attempt = row.number(2) + 1;
    job.lost = row.number(3);
    job.kind = row.view(4);
    job.project = row.view(5);
    job.has_steps = row.number(6) & has_steps;
    if (row.number(6) & has_payload) {
      Rows payload = payload_.rows(job.job);
      if (payload.next()) {
        job.args = payload.view(0);
        job.options = payload.view(1);
      }
    }
    session_.tally.moved(job.project, op.queue, JobState::queued, JobState::running);
  }
  for (const ClaimedJob& job : claimed) take_.run(op.owner.node, op.owner.life, op.now, job.job);
  return claimed;
}

}  // namespace quell::storage::sqlite
