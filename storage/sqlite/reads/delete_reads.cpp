#include "storage/sqlite/reads/delete_reads.hpp"

#include "storage/call_slices.hpp"
#include "storage/trace_refs.hpp"

namespace quell::storage::sqlite {

namespace {

const std::string tomb_columns =
    "SELECT t.id, t.delete_id, t.at, t.until, t.prior, t.verdict, c.who, c.reason,"
    " (SELECT a.until FROM archive a WHERE a.id = t.id), t.restored_epoch IS NOT NULL, t.project,"
    " t.queue, t.kind, t.attempt, t.lost, t.started, t.finished, t.node, t.schedule, t.story"
    " FROM tomb t"
    " LEFT JOIN call c ON c.delete_id = t.delete_id WHERE ";

const std::string ticket_columns =
    "SELECT job, delete_id, state, prior, who, why, error, at, tries, next_try, forced FROM ticket"
    " WHERE ";

const std::string call_columns =
    "SELECT delete_id, who, reason, path, counts, receipt, at FROM call WHERE ";

Tombstone tombstone_of(const Rows& row) {
  Tombstone tomb;
  tomb.job = row.uuid(0);
  tomb.delete_id = row.uuid(1);
  tomb.at = row.instant(2);
  tomb.until = row.instant(3);
  tomb.was = static_cast<JobState>(row.number(4));
  tomb.verdict = static_cast<Verdict>(row.number(5));
  tomb.who = row.text(6);
  tomb.reason = row.text(7);
  tomb.copy_until = row.maybe_instant(8);
  tomb.restored = row.number(9) == 1;
  tomb.life = {row.text(10),          row.text(11),
               row.text(12),          row.number(13) + (tomb.was == JobState::running ? 1 : 0),
               row.number(14),        row.maybe_instant(15),
               row.maybe_instant(16), row.maybe_uuid(17),
               row.text(18),          row.text(19)};
  return tomb;
}

CallView call_of(const Rows& row) {
  CallView call{row.uuid(0), row.text(1), row.text(2),   row.text(3),
                row.text(4), row.text(5), row.instant(6)};
  read_note(call);
  return call;
}

TicketView ticket_of(const Rows& row) {
  TicketView view;
  view.job = row.uuid(0);
  view.delete_id = row.uuid(1);
  view.state = static_cast<JobState>(row.number(2));
  view.was = static_cast<JobState>(row.number(3));
  view.who = row.text(4);
  view.reason = row.text(5);
  view.error = row.text(6);
  view.at = row.instant(7);
  view.tries = row.number(8);
  view.next_try = row.maybe_instant(9);
  view.forced = row.number(10) == 1;
  return view;
}

}  // namespace

DeleteReads::DeleteReads(Connection& db)
    : tomb_(db, tomb_columns + "t.id = ?"),
      tombs_(db, tomb_columns +
                     "t.delete_id = ?1 AND t.id > coalesce(?2, x'') ORDER BY t.id"
                     " LIMIT ?3"),
      // State 6 is pending_delete: a failed one waits for its next try, or for a person.
      tickets_(db, ticket_columns +
                       "(?1 IS NULL OR delete_id = ?1)"
                       " AND (NOT ?2 OR next_try <= ?3 OR (next_try IS NULL AND state = 6))"
                       " ORDER BY at, job LIMIT ?4"),
      ticket_(db, ticket_columns + "job = ?"),
      holders_(db,
               "SELECT what, ref, node, life, epoch FROM holder"
               " WHERE job = ? AND verdict IS NULL ORDER BY what, ref"),
      call_(db, call_columns + "delete_id = ?"),
      calls_(db, call_columns + "(?1 IS NULL OR delete_id < ?1) ORDER BY delete_id DESC LIMIT ?2"),
      audit_(db,
             "SELECT no, at, who, what, ref, detail, digest, hash FROM audit WHERE ref = ?"
             " ORDER BY no LIMIT ?"),
      forgotten_(db, "SELECT at FROM forgotten WHERE what = 'tomb'"),
      groups_(db,
              "SELECT delete_id, project, queue, kind, prior, verdict, count(*) FROM tomb"
              " WHERE delete_id >= ? AND delete_id < ? GROUP BY 1, 2, 3, 4, 5, 6"
              " ORDER BY 1, 2, 3, 4, 5, 6 LIMIT ?") {}

std::optional<Tombstone> DeleteReads::tombstone(JobId job) {
  Rows row = tomb_.rows(job);
  if (!row.next()) return std::nullopt;
  return tombstone_of(row);
}

std::vector<Tombstone> DeleteReads::tombstones(DeleteId id, std::optional<JobId> after, int limit) {
  std::vector<Tombstone> page;
  for (Rows row = tombs_.rows(id, after, limit); row.next();) page.push_back(tombstone_of(row));
  return page;
}

std::vector<TicketView> DeleteReads::tickets(std::optional<DeleteId> only, bool due_only,
                                             Instant now, int limit) {
  std::vector<TicketView> page;
  for (Rows row = tickets_.rows(only, due_only, now, limit); row.next();)
    page.push_back(ticket_of(row));
  for (TicketView& view : page) read_holders(view);
  return page;
}

void DeleteReads::read_holders(TicketView& view) {
  for (Rows row = holders_.rows(view.job); row.next();)
    view.open.push_back(Holder{static_cast<HolderKind>(row.number(0)), row.uuid(1),
                               NodeLife{row.uuid(2), row.big(3)}, row.number(4)});
}

TraceRows DeleteReads::trace_rows(Uuid id, const std::string& schedule, int audit_limit) {
  TraceRows found;
  found.tomb = tombstone(id);
  for (Rows row = ticket_.rows(id); row.next();) found.ticket = ticket_of(row);
  if (found.ticket) read_holders(*found.ticket);
  for (const std::string& ref : trace_refs(id, schedule, found))
    for (Rows row = audit_.rows(ref, audit_limit); row.next();)
      found.audit.push_back({row.big(0), row.instant(1), row.text(2), row.text(3), row.text(4),
                             row.text(5), row.text(6), row.text(7)});
  sort_audit(found.audit);
  if (Rows row = forgotten_.rows(); row.next()) found.forgotten = row.instant(0);
  return found;
}

std::vector<ErasedGroup> DeleteReads::erased_groups(DeleteId from, DeleteId to, int limit) {
  std::vector<ErasedGroup> all;
  for (Rows row = groups_.rows(from, to, limit); row.next();)
    all.push_back({row.uuid(0), row.text(1), row.text(2), row.text(3),
                   static_cast<JobState>(row.number(4)), static_cast<Verdict>(row.number(5)),
                   row.big(6)});
  return all;
}

std::optional<CallView> DeleteReads::call(DeleteId id) {
  Rows row = call_.rows(id);
  if (!row.next()) return std::nullopt;
  return call_of(row);
}

std::vector<CallView> DeleteReads::calls(std::optional<DeleteId> after, int limit) {
  std::vector<CallView> page;
  for (Rows row = calls_.rows(after, limit); row.next();) page.push_back(call_of(row));
  return page;
}

}  // namespace quell::storage::sqlite
