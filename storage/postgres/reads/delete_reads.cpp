#include "storage/postgres/reads/delete_reads.hpp"

#include <unordered_map>

#include "storage/call_slices.hpp"
#include "storage/packed_text.hpp"
#include "storage/trace_refs.hpp"

namespace quell::storage::postgres {

namespace {

#define TOMB_COLUMNS                                                    \
  "SELECT t.id, t.delete_id, t.at, t.until, t.prior, t.verdict, c.who," \
  " c.reason, (SELECT a.until FROM archive a WHERE a.id = t.id),"       \
  " t.restored_epoch IS NOT NULL, t.project, t.queue, t.kind,"          \
  " t.attempt, t.lost, t.started, t.finished, t.node, t.schedule,"      \
  " t.story"                                                            \
  " FROM tomb t LEFT JOIN call c ON c.delete_id = t.delete_id WHERE "
#define CALL_COLUMNS "SELECT delete_id, who, reason, path, counts, receipt, at FROM call WHERE "

constexpr Query tombs_by_id{"tombs_by_id", TOMB_COLUMNS "t.id = ANY($1::uuid[])"};
constexpr Query tombs_by_call{"tombs_by_call", TOMB_COLUMNS
                              "t.delete_id = $1::uuid AND ($2::uuid IS NULL OR t.id > $2::uuid)"
                              " ORDER BY t.id LIMIT $3::int"};
#define TICKET_COLUMNS \
  "SELECT job, delete_id, state, prior, who, why, error, at, tries, next_try, forced FROM ticket"
// State 6 is pending_delete: a failed one waits for its next try, or for a person.
constexpr Query tickets{
    "tickets", TICKET_COLUMNS
    " WHERE ($1::uuid IS NULL OR delete_id = $1::uuid)"
    " AND (NOT $2::bool OR next_try <= $3::bigint OR (next_try IS NULL AND state = 6))"
    " ORDER BY at, job LIMIT $4::int"};
constexpr Query ticket_of_job{"ticket_of_job", TICKET_COLUMNS " WHERE job = $1::uuid"};
// A look at the index for each, whatever the statistics say of a ref that many rows have.
constexpr Query audit_of_refs{
    "audit_of_refs",
    "SELECT a.* FROM unnest($1::text[]) r(ref) CROSS JOIN LATERAL (SELECT no, at, who, what, ref,"
    " detail, digest, hash FROM audit WHERE audit.ref = r.ref ORDER BY audit.ref, no LIMIT $2::int)"
    " a ORDER BY a.no"};
constexpr Query read_forgotten{"forgotten", "SELECT at FROM forgotten WHERE what = 'tomb'"};
constexpr Query groups_of_calls{
    "erased_groups",
    "SELECT delete_id, project, queue, kind, prior, verdict, count(*) FROM tomb"
    " WHERE delete_id >= $1::uuid AND delete_id < $2::uuid GROUP BY 1, 2, 3, 4, 5, 6"
    " ORDER BY 1, 2, 3, 4, 5, 6 LIMIT $3::int"};
constexpr Query holders{
    "ticket_holders",
    "SELECT job, what, ref, node, life, epoch FROM holder WHERE job = ANY($1::uuid[])"
    " AND verdict IS NULL ORDER BY job, what, ref"};
constexpr Query one_call{"call_one", CALL_COLUMNS "delete_id = $1::uuid"};
constexpr Query all_calls{"call_all", CALL_COLUMNS
                          "($1::uuid IS NULL OR delete_id < $1::uuid) ORDER BY delete_id DESC"
                          " LIMIT $2::int"};

#undef TOMB_COLUMNS
#undef TICKET_COLUMNS
#undef CALL_COLUMNS

std::vector<Tombstone> tombs_in(const Rows& rows) {
  std::vector<Tombstone> all;
  for (const Row row : rows) {
    Tombstone& tomb = all.emplace_back();
    tomb.job = row.uuid(0);
    tomb.delete_id = row.uuid(1);
    tomb.at = row.instant(2);
    tomb.until = row.instant(3);
    tomb.was = static_cast<JobState>(row.number(4));
    tomb.verdict = static_cast<Verdict>(row.number(5));
    tomb.who = row.text(6);
    tomb.reason = row.text(7);
    tomb.copy_until = row.maybe_instant(8);
    tomb.restored = row.yes(9);
    tomb.life = {row.text(10),          row.text(11),
                 row.text(12),          row.number(13) + (tomb.was == JobState::running ? 1 : 0),
                 row.number(14),        row.maybe_instant(15),
                 row.maybe_instant(16), row.maybe_uuid(17),
                 row.text(18),          row.text(19)};
  }
  return all;
}

std::vector<CallView> calls_in(const Rows& rows) {
  std::vector<CallView> all;
  for (const Row row : rows)
    read_note(all.emplace_back(CallView{row.uuid(0), row.text(1), row.text(2), row.text(3),
                                        row.bytes(4), unpacked(row.bytes(5)), row.instant(6)}));
  return all;
}

TicketView ticket_of(const Row& row) {
  TicketView view;
  view.job = row.uuid(0);
  view.delete_id = row.uuid(1);
  view.state = static_cast<JobState>(row.number(2));
  view.was = static_cast<JobState>(row.number(3));
  view.who = row.text(4);
  view.reason = row.text(5);
  view.error = row.bytes(6);
  view.at = row.instant(7);
  view.tries = row.number(8);
  view.next_try = row.maybe_instant(9);
  view.forced = row.yes(10);
  return view;
}

}  // namespace

std::vector<Tombstone> read_tombs_of(Connection& db, const std::vector<JobId>& jobs) {
  if (jobs.empty()) return {};
  ArrayLiteral ids;
  for (const JobId& job : jobs) ids.add(job);
  return tombs_in(db.run(tombs_by_id, ids));
}

std::vector<Tombstone> read_tombs(Connection& db, DeleteId id, std::optional<JobId> after,
                                  int limit) {
  return tombs_in(db.run(tombs_by_call, id, after, limit));
}

namespace {

std::vector<TicketView> tickets_in(Connection& db, const Rows& rows) {
  std::vector<TicketView> page;
  std::unordered_map<JobId, std::size_t> at;
  ArrayLiteral ids;
  for (const Row row : rows) {
    page.push_back(ticket_of(row));
    at[page.back().job] = page.size() - 1;
    ids.add(page.back().job);
  }
  if (page.empty()) return page;
  const Rows open = db.run(holders, ids);
  for (const Row row : open)
    page[at.at(row.uuid(0))].open.push_back(Holder{static_cast<HolderKind>(row.number(1)),
                                                   row.uuid(2), NodeLife{row.uuid(3), row.big(4)},
                                                   row.number(5)});
  return page;
}

}  // namespace

std::vector<TicketView> read_tickets(Connection& db, std::optional<DeleteId> only, bool due_only,
                                     Instant now, int limit) {
  return tickets_in(db, db.run(tickets, only, due_only, now, limit));
}

TraceRows read_trace_rows(Connection& db, Uuid id, const std::string& schedule, int audit_limit) {
  TraceRows found;
  for (Tombstone& tomb : read_tombs_of(db, {id})) found.tomb = std::move(tomb);
  for (TicketView& ticket : tickets_in(db, db.run(ticket_of_job, id)))
    found.ticket = std::move(ticket);
  ArrayLiteral refs;
  for (const std::string& ref : trace_refs(id, schedule, found)) refs.add(ref);
  const Rows rows = db.run(audit_of_refs, refs, audit_limit);
  for (const Row row : rows)
    found.audit.push_back({row.big(0), row.instant(1), row.text(2), row.text(3), row.text(4),
                           row.text(5), row.text(6), row.text(7)});
  const Rows forgotten = db.run(read_forgotten);
  if (!forgotten.empty()) found.forgotten = forgotten[0].instant(0);
  return found;
}

std::vector<ErasedGroup> read_erased_groups(Connection& db, DeleteId from, DeleteId to, int limit) {
  std::vector<ErasedGroup> all;
  const Rows rows = db.run(groups_of_calls, from, to, limit);
  for (const Row row : rows)
    all.push_back({row.uuid(0), row.text(1), row.text(2), row.text(3),
                   static_cast<JobState>(row.number(4)), static_cast<Verdict>(row.number(5)),
                   row.big(6)});
  return all;
}

std::optional<CallView> read_call(Connection& db, DeleteId id) {
  std::vector<CallView> found = calls_in(db.run(one_call, id));
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<CallView> read_calls(Connection& db, std::optional<DeleteId> after, int limit) {
  return calls_in(db.run(all_calls, after, limit));
}

}  // namespace quell::storage::postgres
