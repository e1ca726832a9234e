// Reading and locking: live rows before jobs at rest before tickets before deliveries, each in the
// order of the ids, so that two batches never wait for each other in a circle.
#include <algorithm>

#include "runtime/base/assert.hpp"
#include "storage/postgres/working_set/by_key.hpp"
#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query lock_live_rows{
    "lock_live",
    "SELECT job, project, queue, place, epoch, attempt, lost, has, since, want, node, life, due,"
    " ukey FROM live WHERE job = ANY($1::uuid[]) ORDER BY job FOR UPDATE"};
constexpr Query lock_job_rows{
    "lock_jobs",
    "SELECT id, project, queue, state, epoch, attempt, lost, has, started, finished, expires,"
    " delete_id FROM job WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"};
// One look at both tables and the tombstones at one moment.
constexpr Query read_tombs{
    "read_tombs",
    "SELECT f.id, EXISTS (SELECT 1 FROM live WHERE live.job = f.id) OR"
    " EXISTS (SELECT 1 FROM job WHERE job.id = f.id), t.delete_id, t.at, t.prior"
    " FROM unnest($1::uuid[]) f(id)" QUELL_BY_KEY("tomb", "id = f.id", "t")};
constexpr int most_looks = 8;
constexpr Query lock_ticket_rows{
    "lock_tickets",
    "SELECT job, delete_id, project, state, prior, who, why, at, tries, next_try, error,"
    " copy_until, tomb_until, forced, ukey, due FROM ticket WHERE job = ANY($1::uuid[])"
    " ORDER BY job FOR UPDATE"};
constexpr Query read_holders{
    "read_holders",
    "SELECT job, what, ref, node, life, epoch, verdict FROM holder WHERE job = ANY($1::uuid[])"
    " ORDER BY job, what, ref"};
constexpr Query read_doubt_rows{"read_doubts",
                                "SELECT job, what FROM doubt WHERE job = ANY($1::uuid[])"};
// An earlier program's law let a job in beside its tombstone.
constexpr Query let_stay{
    "tomb_let_stay",
    "UPDATE tomb SET restored_epoch = f.epoch FROM unnest($1::uuid[], $2::int[]) f(id, epoch)"
    " WHERE tomb.id = f.id AND tomb.restored_epoch IS NULL"};
constexpr Query read_options{
    "read_options", "SELECT job, meta FROM payload WHERE job = ANY($1::uuid[]) AND meta <> ''"};
constexpr Query lock_delivery_rows{"lock_deliveries",
                                   "SELECT id, job, place, node, life FROM delivery WHERE job = "
                                   "ANY($1::uuid[]) AND place IN (0, 1)"
                                   " ORDER BY id FOR UPDATE"};

ArrayLiteral ids_of(const std::vector<JobId>& jobs) {
  ArrayLiteral ids;
  for (const JobId& job : jobs) ids.add(job);
  return ids;
}

void sort_unique(std::vector<JobId>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

void WorkingSet::load(Wanted wanted) {
  std::erase_if(wanted.jobs, [&](const JobId& id) { return entries_.contains(id); });
  sort_unique(wanted.jobs);
  sort_unique(wanted.tickets);
  for (const JobId& id : wanted.jobs) entries_[id].id = id;
  // What leaves is at rest: for verdicts alone one look is enough.
  std::vector<JobId> unseen = wanted.jobs;
  if (wanted.jobs == wanted.tickets) {
    lock_jobs(unseen);
    unseen = missing(unseen);
  }
  lock_rows(std::move(unseen));
  if (session_.careful) let_stay_what_came_back(wanted.jobs);
  for (const JobId& id : wanted.jobs)
    if (const JobEntry& job = at(id); job.exists && is_leaving(job.state))
      wanted.tickets.push_back(id);
  std::erase_if(wanted.tickets, [&](const JobId& id) { return at(id).ticket.has_value(); });
  sort_unique(wanted.tickets);
  lock_tickets(wanted.tickets);
  read_doubts(wanted.jobs);
  std::erase_if(wanted.deliveries, [&](const JobId& id) {
    const JobEntry& job = at(id);
    return !job.exists || !(job.has & has_deliveries) || is_leaving(job.state);
  });
  lock_deliveries(wanted.deliveries);
  read_tags(wanted.tags);
  if (session_.outbox.anyone()) read_urls(wanted.urls);
}

// Each statement sees what was committed before it: a row that left `live` while the first one
// waited for it is at rest for the second. One that rose meanwhile is in neither; then both again.
void WorkingSet::lock_rows(std::vector<JobId> ids) {
  for (int look = 0; !ids.empty(); ++look) {
    if (look == most_looks)
      throw PgFault(Error{ErrorCode::store_unavailable, "a job moved whenever it was looked at"},
                    Cure::again);
    lock_live(ids);
    ids = missing(ids);
    lock_jobs(ids);
    ids = read_tombstones(missing(ids));
  }
}

// A job that came back past the law, and could come to no end: neither of its own nor by a delete.
// It is treated as one that was restored. Its row is locked, so nobody buries it meanwhile.
void WorkingSet::let_stay_what_came_back(const std::vector<JobId>& ids) {
  ArrayLiteral there, epochs;
  for (const JobId& id : ids) {
    const JobEntry& job = at(id);
    if (!job.exists) continue;
    there.add(id);
    epochs.add(job.epoch);
  }
  if (!there.empty()) session_.db.write(let_stay, there, epochs);
}

std::vector<JobId> WorkingSet::missing(const std::vector<JobId>& ids) {
  std::vector<JobId> some;
  for (const JobId& id : ids)
    if (!at(id).exists) some.push_back(id);
  return some;
}

// Both tables tell it in the same columns.
JobEntry& WorkingSet::found(const Row& row, JobState state) {
  JobEntry& job = at(row.uuid(0));
  job.exists = true;
  job.project = row.text(1);
  job.queue = row.text(2);
  job.state = state;
  job.epoch = row.number(4);
  job.attempt = row.number(5);
  job.lost = row.number(6);
  job.has = row.number(7);
  job.started = row.maybe_instant(8);
  return job;
}

void WorkingSet::lock_live(const std::vector<JobId>& ids) {
  const Rows rows = session_.db.run(lock_live_rows, ids_of(ids));
  for (const Row row : rows) {
    JobEntry& job = found(row, shown(Stored::open, row.number(3)));
    job.cancel_requested = row.number(9) == 1;
    if (job.state == JobState::running) job.owner = NodeLife{row.uuid(10), row.big(11)};
    job.due = row.maybe_instant(12);
    job.unique_key = row.maybe_bytes(13);
  }
}

void WorkingSet::lock_jobs(const std::vector<JobId>& ids) {
  if (ids.empty()) return;
  const Rows rows = session_.db.run(lock_job_rows, ids_of(ids));
  for (const Row row : rows) {
    JobEntry& job = found(row, shown(row.number(3), 0));
    job.finished = row.maybe_instant(9);
    job.expires = row.maybe_instant(10);
    job.delete_id = row.maybe_uuid(11);
  }
}

// Returns those that are there after all.
std::vector<JobId> WorkingSet::read_tombstones(const std::vector<JobId>& ids) {
  std::vector<JobId> there;
  if (ids.empty()) return there;
  const Rows rows = session_.db.run(read_tombs, ids_of(ids));
  for (const Row row : rows) {
    const JobId id = row.uuid(0);
    if (row.yes(1))
      there.push_back(id);
    else if (!row.is_null(2))
      at(id).tombstone =
          TombstoneRow{row.uuid(2), row.instant(3), static_cast<JobState>(row.number(4))};
  }
  return there;
}

void WorkingSet::lock_tickets(const std::vector<JobId>& ids) {
  if (ids.empty()) return;
  const Rows tickets = session_.db.run(lock_ticket_rows, ids_of(ids));
  if (tickets.empty()) return;
  for (const Row row : tickets) {
    TicketState& ticket = at(row.uuid(0)).ticket.emplace();
    ticket.delete_id = row.uuid(1);
    ticket.project = row.text(2);
    ticket.state = static_cast<JobState>(row.number(3));
    ticket.was = static_cast<JobState>(row.number(4));
    ticket.who = row.text(5);
    ticket.reason = row.text(6);
    ticket.at = row.instant(7);
    ticket.tries = row.number(8);
    ticket.next_try = row.maybe_instant(9);
    ticket.error = row.bytes(10);
    ticket.copy_until = row.maybe_instant(11);
    ticket.tomb_until = row.instant(12);
    ticket.forced = row.yes(13);
    ticket.unique_key = row.maybe_bytes(14);
    ticket.due = row.maybe_instant(15);
  }
  const Rows holders = session_.db.run(read_holders, ids_of(ids));
  for (const Row row : holders) {
    std::optional<TicketState>& ticket = at(row.uuid(0)).ticket;
    if (!ticket) continue;
    HolderState& one = ticket->holders.emplace_back();
    one.holder = Holder{static_cast<HolderKind>(row.number(1)), row.uuid(2),
                        NodeLife{row.uuid(3), row.big(4)}, row.number(5)};
    if (!row.is_null(6)) one.verdict = static_cast<Verdict>(row.number(6));
  }
}

void WorkingSet::lock_deliveries(const std::vector<JobId>& ids) {
  if (ids.empty()) return;
  const Rows rows = session_.db.run(lock_delivery_rows, ids_of(ids));
  for (const Row row : rows) {
    JobEntry& job = at(row.uuid(1));
    if (row.number(2) == DeliveryPlace::waiting)
      job.waiting.push_back(row.uuid(0));
    else
      job.flying.push_back(
          Holder{HolderKind::delivery, row.uuid(0), NodeLife{row.uuid(3), row.big(4)}, 0});
  }
}

void WorkingSet::read_tags(const std::vector<JobId>& ids) {
  ArrayLiteral some;
  for (const JobId& id : ids)
    if (const JobEntry& job = at(id); job.exists && (job.has & has_payload)) some.add(id);
  if (some.empty()) return;
  const Rows rows = session_.db.run(read_options, some);
  for (const Row row : rows) at(row.uuid(0)).tags = options_from_json(row.text(1)).tags;
}

void WorkingSet::read_urls(const std::vector<JobId>& ids) {
  ArrayLiteral some;
  for (const JobId& id : ids)
    if (const JobEntry& job = at(id); job.exists && (job.has & has_payload)) some.add(id);
  if (some.empty()) return;
  const Rows rows = session_.db.run(read_options, some);
  for (const Row row : rows)
    at(row.uuid(0)).has_own_url = !options_from_json(row.text(1)).webhook.empty();
}

void WorkingSet::read_doubts(const std::vector<JobId>& ids) {
  ArrayLiteral doubted;
  for (const JobId& id : ids) {
    JobEntry& job = at(id);
    job.doubts.clear();
    if (job.exists && (job.has & has_doubts)) doubted.add(id);
  }
  if (doubted.empty()) return;
  const Rows rows = session_.db.run(read_doubt_rows, doubted);
  for (const Row row : rows)
    at(row.uuid(0)).doubts.push_back(static_cast<HolderKind>(row.number(1)));
}

JobEntry* WorkingSet::find(JobId id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

JobEntry& WorkingSet::at(JobId id) {
  JobEntry* job = find(id);
  QUELL_ASSERT(job);
  return *job;
}

}  // namespace quell::storage::postgres
