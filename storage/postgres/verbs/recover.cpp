// What a dead life held: runs go back to their queue, or end; deliveries wait again; holders get
// the verdict.
#include <algorithm>
#include <set>

#include "storage/postgres/verbs/node.hpp"

namespace quell::storage::postgres {

namespace {

// First of all: from here on the dead claim nothing, and what they had claimed is committed.
constexpr Query close_life{"recover_node",
                           "UPDATE node SET gone = true WHERE id = $1::uuid AND life < $2::bigint"};
constexpr Query lock_watched{
    "recover_watched",
    "SELECT 1 FROM node WHERE id = $1::uuid AND life = $2::bigint AND beat = $3::bigint"
    " FOR UPDATE"};
constexpr Query end_doubts_of_dead{"recover_proven",
                                   "DELETE FROM doubt WHERE node = $1::uuid AND life < $2::bigint"};
constexpr Query read_flying{
    "recover_flying_jobs",
    "SELECT DISTINCT job FROM delivery WHERE place = 1 AND node = $1::uuid AND life < $2::bigint"};
constexpr Query lock_flying{
    "recover_flying",
    "SELECT job, id, life FROM delivery WHERE place = 1 AND node = $1::uuid AND life < $2::bigint"
    " ORDER BY id FOR UPDATE"};
constexpr Query read_runs{
    "recover_runs",
    "SELECT job FROM live WHERE place = 2 AND node = $1::uuid AND life < $2::bigint ORDER BY job"};
constexpr Query read_held{
    "recover_held",
    "SELECT DISTINCT job FROM holder WHERE node = $1::uuid AND life < $2::bigint"
    " AND verdict IS NULL ORDER BY job"};
constexpr Query return_deliveries{
    "recover_deliveries",
    "UPDATE delivery SET place = 0, due = $3::bigint, node = NULL, life = NULL"
    " WHERE place = 1 AND node = $1::uuid AND life < $2::bigint"};

std::vector<JobId> ids(const Rows& rows) {
  std::vector<JobId> all;
  for (const Row row : rows) all.push_back(row.uuid(0));
  return all;
}

void sort_unique(std::vector<JobId>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

RecoverResult Recover::apply(const RecoverOp& op) {
  RecoverResult result;
  Connection& db = rows_.session().db;
  rows_.settle();
  if (!still_stands(op)) {
    result.done = false;
    return result;
  }
  db.run(close_life, op.node, op.below_life);
  // Holders last: a mark that commits between two of these reads turns a run, or a delivery in
  // flight, into a holder. One that commits later was waited for by its job's lock.
  const std::vector<JobId> runs = ids(db.run(read_runs, op.node, op.below_life));
  std::vector<JobId> touched = ids(db.run(read_flying, op.node, op.below_life));
  touched.insert(touched.end(), runs.begin(), runs.end());
  const std::vector<JobId> held = ids(db.run(read_held, op.node, op.below_life));
  touched.insert(touched.end(), held.begin(), held.end());
  sort_unique(touched);
  WorkingSet::Wanted wanted;
  wanted.jobs = touched;
  wanted.tickets = held;
  wanted.urls = runs;
  rows_.load(std::move(wanted));
  if (proof_of(op.verdict) == Proof::proven)
    db.write(end_doubts_of_dead, op.node, op.below_life);
  else
    doubt_deliveries(op);
  take_back_runs(op, runs, result);
  result.deliveries = db.run(return_deliveries, op.node, op.below_life, op.now).touched();
  rows_.read_doubts(touched);
  close_holders(op, touched, result);
  return result;
}

// It may have moved since it was watched; from here on it cannot.
bool Recover::still_stands(const RecoverOp& op) {
  return !op.if_beat ||
         !rows_.session().db.run(lock_watched, op.node, op.below_life - 1, *op.if_beat).empty();
}

void Recover::doubt_deliveries(const RecoverOp& op) {
  const Rows rows = rows_.session().db.run(lock_flying, op.node, op.below_life);
  for (const Row row : rows) {
    JobEntry* job = rows_.find(row.uuid(0));
    if (!job || !job->exists) continue;
    const Holder lost{HolderKind::delivery, row.uuid(1), NodeLife{op.node, row.big(2)}, 0};
    rows_.add_bits(*job, job->has | rows_.side().doubt(job->id, lost));
  }
}

void Recover::take_back_runs(const RecoverOp& op, const std::vector<JobId>& runs,
                             RecoverResult& result) {
  std::set<std::string> queues;
  for (const JobId& id : runs) {
    JobEntry& job = rows_.at(id);
    // Read before it was locked: it may have ended, or been marked, meanwhile.
    if (!job.exists || job.state != JobState::running || job.owner.node != op.node ||
        job.owner.life >= op.below_life)
      continue;
    if (proof_of(op.verdict) != Proof::proven) {
      const Holder lost{HolderKind::run, id, job.owner, job.epoch};
      rows_.add_bits(job, job.has | rows_.side().doubt(id, lost));
    }
    if (job.cancel_requested) {
      ++result.cancelled;
      result.ended.emplace_back(id, JobState::cancelled);
      rows_.tell(job, told_by_webhook(JobEvent::stopped), JobState::cancelled, op.now);
      rows_.end(job, JobState::cancelled, op.now, op.cancelled_expires.of(job.queue));
    } else if (++job.lost >= op.max_lost) {
      ++result.failed;
      result.ended.emplace_back(id, JobState::failed);
      rows_.add_bits(job, job.has | rows_.side().lost_too_often(id));
      rows_.tell(job, told_by_webhook(JobEvent::give_up), JobState::failed, op.now, lost_too_often);
      rows_.end(job, JobState::failed, op.now, op.failed_expires.of(job.queue));
    } else {
      ++result.requeued;
      queues.insert(job.queue);
      rows_.come_back(job, JobState::queued, std::nullopt);
    }
  }
  result.queues.assign(queues.begin(), queues.end());
}

void Recover::close_holders(const RecoverOp& op, const std::vector<JobId>& jobs,
                            RecoverResult& result) {
  for (const JobId& id : jobs) {
    const JobEntry& job = rows_.at(id);
    if (!job.ticket) continue;
    std::vector<VerdictOp> dead;
    for (const Holder& one : job.ticket->open())
      if (one.owner.node == op.node && one.owner.life < op.below_life)
        dead.push_back(VerdictOp{id, one.what, one.ref, one.owner, one.epoch, op.verdict, op.now});
    for (const VerdictOp& verdict : dead) {
      const VerdictResult closed = verdicts_.apply(verdict);
      if (closed.answer == VerdictAnswer::erased) result.erased.emplace_back(id, closed);
    }
  }
}

}  // namespace quell::storage::postgres
