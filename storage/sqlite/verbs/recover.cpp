// What a dead life held: runs go back to their queue, or end; deliveries wait again; holders get
// the verdict.
#include <set>

#include "storage/sqlite/verbs/node.hpp"

namespace quell::storage::sqlite {

Recover::Recover(SqliteSession& session, Verdicts& verdicts)
    : session_(session),
      verdicts_(verdicts),
      watched_(session.db, "SELECT 1 FROM node WHERE id = ? AND life = ? AND beat = ?"),
      runs_(session.db,
            "SELECT job, project, queue, epoch, attempt, lost, has, want, since, life FROM live"
            " WHERE place = 2 AND node = ? AND life < ? ORDER BY job"),
      end_(session.db,
           "UPDATE OR ROLLBACK job SET state = ?, epoch = ?, attempt = ?, lost = ?, has = ?, "
           "started = ?,"
           " finished = ?, expires = ?, node = ? WHERE id = ?"),
      delete_live_(session.db, "DELETE FROM live WHERE job = ?"),
      lose_(session.db,
            "UPDATE OR ROLLBACK live SET place = 1, lost = ?, has = ?, node = NULL, life = NULL"
            " WHERE job = ?"),
      has_(session.db, "UPDATE OR ROLLBACK job SET has = ? WHERE id = ? AND has <> ?1"),
      error_(session.db,
             "INSERT INTO result (job, body, error) VALUES (?, '', '{\"code\":\"lost_too_often\"}')"
             " ON CONFLICT DO UPDATE SET error = excluded.error"),
      doubt_(session.db,
             "INSERT INTO doubt (job, what, ref, node, life) VALUES (?, ?, ?, ?, ?)"
             " ON CONFLICT DO NOTHING"),
      flying_(session.db,
              "SELECT job, id, life FROM delivery WHERE place = 1 AND node = ? AND life < ?"
              " AND job <> zeroblob(16)"),
      job_doubted_(session.db, "UPDATE OR ROLLBACK job SET has = has | 512 WHERE id = ?"),
      live_doubted_(session.db, "UPDATE OR ROLLBACK live SET has = has | 512 WHERE job = ?"),
      deliveries_(session.db,
                  "UPDATE delivery SET place = 0, due = ?, node = NULL, life = NULL"
                  " WHERE place = 1 AND node = ? AND life < ?"),
      proven_(session.db, "DELETE FROM doubt WHERE node = ? AND life < ?"),
      holders_(session.db,
               "SELECT job, what, ref, life, epoch FROM holder WHERE node = ? AND life < ?"
               " AND verdict IS NULL ORDER BY job, what, ref"),
      gone_(session.db, "UPDATE node SET gone = 1 WHERE id = ? AND life < ?") {}

RecoverResult Recover::apply(const RecoverOp& op) {
  RecoverResult result;
  if (op.if_beat) {
    Rows row = watched_.rows(op.node, op.below_life - 1, *op.if_beat);
    result.done = row.next();
    if (!result.done) return result;
  }
  if (proof_of(op.verdict) == Proof::proven)
    proven_.run(op.node, op.below_life);
  else
    doubt_deliveries(op);
  take_back_runs(op, result);
  result.deliveries = deliveries_.run(op.now, op.node, op.below_life);
  close_holders(op, result);
  gone_.run(op.node, op.below_life);
  return result;
}

void Recover::take_back_runs(const RecoverOp& op, RecoverResult& result) {
  struct Lost {
    JobId job;
    std::string project, queue;
    int epoch, attempt, lost, has;
    std::int64_t life;
    bool cancel_requested;
    std::optional<Instant> since;
  };
  // Collected first: the loop below changes the index that this reads.
  std::vector<Lost> runs;
  for (Rows row = runs_.rows(op.node, op.below_life); row.next();)
    runs.push_back(Lost{row.uuid(0), row.text(1), row.text(2), row.number(3), row.number(4),
                        row.number(5), row.number(6), row.big(9), row.number(7) == 1,
                        row.maybe_instant(8)});
  std::set<std::string> queues;
  const bool is_proven = proof_of(op.verdict) == Proof::proven;
  for (Lost& run : runs) {
    if (!is_proven) {
      doubt_.run(run.job, static_cast<int>(HolderKind::run), run.job, op.node, run.life);
      run.has |= has_doubts;
    }
    JobState to = JobState::cancelled;
    if (run.cancel_requested) {
      ++result.cancelled;
    } else if (++run.lost >= op.max_lost) {
      to = JobState::failed;
      error_.run(run.job);
      run.has |= has_result;
      ++result.failed;
    } else {
      to = JobState::queued;
      lose_.run(run.lost, run.has, run.job);
      has_.run(run.has, run.job);
      queues.insert(run.queue);
      ++result.requeued;
    }
    if (is_final(to)) {
      run.has |= tell(op, run.job, run.project, run.has, to);
      result.ended.emplace_back(run.job, to);
      end_.run(stored(to), run.epoch, run.attempt, run.lost, run.has, run.since, op.now,
               (to == JobState::cancelled ? op.cancelled_expires : op.failed_expires).of(run.queue),
               op.node, run.job);
      delete_live_.run(run.job);
    }
    session_.tally.moved(run.project, run.queue, JobState::running, to);
  }
  result.queues.assign(queues.begin(), queues.end());
}

int Recover::tell(const RecoverOp& op, JobId job, const std::string& project, int has,
                  JobState to) {
  JobHead head;
  head.project = project;
  head.has = has;
  if (to == JobState::cancelled)
    return session_.tell(job, head, told_by_webhook(JobEvent::stopped), to, op.now);
  return session_.tell(job, head, told_by_webhook(JobEvent::give_up), to, op.now, lost_too_often);
}

void Recover::doubt_deliveries(const RecoverOp& op) {
  for (Rows row = flying_.rows(op.node, op.below_life); row.next();) {
    const JobId job = row.uuid(0);
    doubt_.run(job, static_cast<int>(HolderKind::delivery), row.uuid(1), op.node, row.big(2));
    job_doubted_.run(job);
    live_doubted_.run(job);
  }
}

void Recover::close_holders(const RecoverOp& op, RecoverResult& result) {
  // The last verdict removes the ticket and its holders, so the dead are collected first.
  std::vector<VerdictOp> dead;
  for (Rows row = holders_.rows(op.node, op.below_life); row.next();)
    dead.push_back(VerdictOp{row.uuid(0), static_cast<HolderKind>(row.number(1)), row.uuid(2),
                             NodeLife{op.node, row.big(3)}, row.number(4), op.verdict, op.now});
  for (const VerdictOp& verdict : dead) {
    const VerdictResult closed = verdicts_.apply(verdict);
    if (closed.answer == VerdictAnswer::erased) result.erased.emplace_back(verdict.job, closed);
  }
}

}  // namespace quell::storage::sqlite
