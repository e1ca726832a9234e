#include "storage/sqlite/verbs/claim_rows.hpp"

namespace quell::storage::sqlite {

ClaimRows::ClaimRows(SqliteSession& session)
    : session_(session),
      next_(session.db,
            "SELECT job, epoch, attempt, lost, kind, project, has FROM live"
            " WHERE place = 1 AND queue = ? ORDER BY pk, job LIMIT ?"),
      next_of_key_(session.db,
                   "SELECT job, epoch, attempt, lost, kind, project, has FROM live"
                   " WHERE place = 1 AND queue = ? AND lkey = ? ORDER BY pk, job LIMIT ?"),
      one_(session.db,
           "SELECT job, epoch, attempt, lost, kind, project, has FROM live WHERE job = ?"),
      take_(
          session.db,
          "UPDATE OR ROLLBACK live SET place = 2, epoch = epoch + 1, node = ?, life = ?, since = ?"
          " WHERE job = ?"),
      payload_(session.db, "SELECT args, meta FROM payload WHERE job = ?") {}

std::vector<ClaimedJob> ClaimRows::oldest(const ClaimOp& op, int n) {
  std::vector<ClaimedJob> claimed;
  for (Rows row = next_.rows(op.queue, n); row.next();) read(row, op, claimed);
  take(op, claimed);
  return claimed;
}

std::vector<ClaimedJob> ClaimRows::oldest_of_key(const ClaimOp& op, const std::string& key, int n) {
  std::vector<ClaimedJob> claimed;
  for (Rows row = next_of_key_.rows(op.queue, key, n); row.next();) read(row, op, claimed);
  take(op, claimed);
  return claimed;
}

std::vector<ClaimedJob> ClaimRows::these(const ClaimOp& op, const std::vector<JobId>& jobs) {
  std::vector<ClaimedJob> claimed;
  for (const JobId& job : jobs)
    for (Rows row = one_.rows(job); row.next();) read(row, op, claimed);
  take(op, claimed);
  return claimed;
}

void ClaimRows::read(Rows& row, const ClaimOp& op, std::vector<ClaimedJob>& claimed) {
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

void ClaimRows::take(const ClaimOp& op, const std::vector<ClaimedJob>& claimed) {
  for (const ClaimedJob& job : claimed) take_.run(op.owner.node, op.owner.life, op.now, job.job);
}

}  // namespace quell::storage::sqlite
