#include "storage/sqlite/verbs/tickets.hpp"

#include "storage/joint_verdict.hpp"

namespace quell::storage::sqlite {

Tickets::Tickets(SqliteSession& session)
    : session_(session),
      insert_(session.db,
              "INSERT INTO ticket (job, delete_id, project, state, prior, who, why, at, copy_until,"
              " tomb_until, ukey, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      holder_(session.db,
              "INSERT INTO holder (job, what, ref, node, life, epoch) VALUES (?, ?, ?, ?, ?, ?)"),
      find_(session.db,
            "SELECT delete_id, prior, who, tomb_until, copy_until, forced, due FROM ticket"
            " WHERE job = ?"),
      holders_(session.db,
               "SELECT what, ref, node, life, epoch FROM holder"
               " WHERE job = ? AND verdict IS NULL ORDER BY what, ref"),
      answer_(session.db,
              "UPDATE holder SET verdict = ? WHERE job = ? AND what = ? AND ref = ? AND node = ?"
              " AND life = ? AND epoch = ? AND verdict IS NULL"),
      verdicts_(session.db, "SELECT what, verdict FROM holder WHERE job = ?"),
      doubts_(session.db, "SELECT what FROM doubt WHERE job = ?"),
      delete_holders_(session.db, "DELETE FROM holder WHERE job = ?"),
      delete_(session.db, "DELETE FROM ticket WHERE job = ?"),
      forced_(session.db, "UPDATE ticket SET forced = 1, ukey = NULL WHERE job = ?"),
      state_(session.db, "UPDATE ticket SET state = ?, tries = tries * ? WHERE job = ?"),
      job_state_(session.db, "UPDATE OR ROLLBACK job SET state = ? WHERE id = ?"),
      note_(session.db,
            "UPDATE ticket SET error = ?, next_try = ?, tries = tries + ? WHERE job = ?") {}

void Tickets::open(JobId job, const JobHead& head, const MarkOp& op,
                   const std::vector<Holder>& holders) {
  insert_.run(job, op.delete_id, head.project, static_cast<int>(JobState::pending_delete),
              static_cast<int>(head.state), op.who, op.reason, op.now, op.copy_until.of(head.queue),
              op.tomb_until, head.unique_key, head.due);
  for (const Holder& holder : holders)
    holder_.run(job, static_cast<int>(holder.what), holder.ref, holder.owner.node,
                holder.owner.life, holder.epoch);
}

std::optional<Ticket> Tickets::find(JobId job) {
  Rows row = find_.rows(job);
  if (!row.next()) return std::nullopt;
  return Ticket{row.uuid(0),          static_cast<JobState>(row.number(1)),
                row.text(2),          row.instant(3),
                row.maybe_instant(4), row.number(5) == 1,
                row.maybe_instant(6)};
}

std::vector<Holder> Tickets::open_holders(JobId job) {
  std::vector<Holder> open;
  for (Rows row = holders_.rows(job); row.next();)
    open.push_back(Holder{static_cast<HolderKind>(row.number(0)), row.uuid(1),
                          NodeLife{row.uuid(2), row.big(3)}, row.number(4)});
  return open;
}

bool Tickets::answer(const VerdictOp& op) {
  return answer_.run(static_cast<int>(op.verdict), op.job, static_cast<int>(op.what), op.ref,
                     op.owner.node, op.owner.life, op.epoch) == 1;
}

Verdict Tickets::joint_verdict(JobId job, bool& waiting) {
  std::vector<std::pair<HolderKind, Verdict>> verdicts;
  waiting = false;
  for (Rows row = doubts_.rows(job); row.next();)
    verdicts.emplace_back(static_cast<HolderKind>(row.number(0)), Verdict::lease_expired);
  for (Rows row = verdicts_.rows(job); row.next();) {
    if (row.is_null(1))
      waiting = true;
    else
      verdicts.emplace_back(static_cast<HolderKind>(row.number(0)),
                            static_cast<Verdict>(row.number(1)));
  }
  return storage::joint_verdict(verdicts);
}

void Tickets::close(JobId job) {
  delete_holders_.run(job);
  delete_.run(job);
}

void Tickets::set_forced(JobId job) {
  forced_.run(job);
}

bool Tickets::apply(const TicketOp& op) {
  const std::optional<Ticket> ticket = find(op.job);
  if (!ticket) return false;
  if (op.event) {
    if (*op.event != JobEvent::fail_delete && *op.event != JobEvent::retry_delete) return false;
    const std::optional<JobHead> head = session_.look(op.job);
    const std::optional<JobState> to =
        ticket->forced || !head ? std::nullopt : decide(head->state, *op.event);
    if (!to) return false;
    job_state_.run(stored(*to), op.job);
    const int keep_tries = *op.event == JobEvent::retry_delete ? 0 : 1;
    state_.run(static_cast<int>(*to), keep_tries, op.job);
    session_.tally.moved(head->project, head->queue, head->state, *to);
  }
  note_.run(op.error, op.next_try, op.count_try, op.job);
  return true;
}

}  // namespace quell::storage::sqlite
