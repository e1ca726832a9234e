// Writing back: each statement takes all the rows of its kind, and the erase comes last. A job that
// comes to rest, or rises, goes from one table to the other in one statement.
#include "storage/postgres/working_set/by_key.hpp"
#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query bring_to_rest{
    "job_rest",
    "WITH l AS (DELETE FROM live USING unnest($1::uuid[], $2::smallint[], $3::int[], $4::int[],"
    " $5::int[], $6::int[], $7::bigint[], $8::bigint[], $9::bigint[], $10::uuid[])"
    " f(id, state, epoch, attempt, lost, has, started, finished, expires, delete_id)"
    " WHERE live.job = f.id RETURNING f.*, live.project, live.queue, live.kind, live.pk,"
    " live.schedule, live.node)"
    " INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has, started,"
    " finished, expires, delete_id, schedule, node) SELECT id, project, queue, kind, 9 - pk,"
    " state, epoch, attempt, lost, has, started, finished, expires, delete_id, schedule, node"
    " FROM l"};
constexpr Query write_job_state{
    "job_state",
    "UPDATE job SET state = f.state, epoch = f.epoch, attempt = f.attempt, lost = f.lost,"
    " has = f.has, started = f.started, finished = f.finished, expires = f.expires,"
    " delete_id = f.delete_id FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::int[],"
    " $5::int[], $6::int[], $7::bigint[], $8::bigint[], $9::bigint[], $10::uuid[])"
    " f(id, state, epoch, attempt, lost, has, started, finished, expires, delete_id)"
    " WHERE job.id = f.id"};
constexpr Query write_job_has{
    "job_has",
    "UPDATE job SET has = f.has FROM unnest($1::uuid[], $2::int[]) f(id, has)"
    " WHERE job.id = f.id"};
constexpr Query place_live{
    "live_place",
    "UPDATE live SET place = f.place, due = f.due, attempt = f.attempt, lost = f.lost,"
    " has = f.has, node = NULL, life = NULL, want = 0"
    " FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::int[], $5::int[], $6::int[])"
    " f(job, place, due, attempt, lost, has) WHERE live.job = f.job"};
constexpr Query cancel_live{
    "live_cancel",
    "UPDATE live SET want = f.want, has = f.has FROM unnest($1::uuid[], $2::smallint[], $3::int[])"
    " f(job, want, has) WHERE live.job = f.job"};
constexpr Query let_rise{
    "job_rise",
    "WITH j AS (DELETE FROM job WHERE id = ANY($1::uuid[]) RETURNING *)"
    " INSERT INTO live (job, project, queue, kind, pk, place, epoch, attempt, lost, has, since,"
    " schedule, ukey, lkey)"
    " SELECT id, project, queue, kind, 9 - prio, 1, epoch, attempt, 0, has, started, schedule,"
    " ukey, nullif(meta, '')::json->>'limit_key'"
    " FROM j" QUELL_BY_KEY("payload", "job = j.id", "p")};
constexpr Query insert_tickets{
    "ticket_add",
    "INSERT INTO ticket (job, delete_id, project, state, prior, who, why, at, copy_until,"
    " tomb_until, ukey, due) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], "
    "$4::smallint[],"
    " $5::smallint[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[],"
    " $11::bytea[], $12::bigint[])"};
constexpr Query update_tickets{
    "ticket_update",
    "UPDATE ticket SET state = f.state, tries = f.tries, next_try = f.next_try, error = f.error,"
    " forced = f.forced, ukey = CASE WHEN f.forced THEN NULL ELSE ticket.ukey END"
    " FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::bigint[], $5::bytea[], $6::bool[])"
    " f(job, state, tries, next_try, error, forced) WHERE ticket.job = f.job"};
constexpr Query close_tickets{"ticket_close",
                              "WITH h AS (DELETE FROM holder WHERE job = ANY($1::uuid[]))"
                              " DELETE FROM ticket WHERE job = ANY($1::uuid[])"};
constexpr Query put_holders{
    "holder_put",
    "INSERT INTO holder (job, what, ref, node, life, epoch, verdict) SELECT * FROM"
    " unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::int[],"
    " $7::smallint[]) ON CONFLICT (job, what, ref) DO UPDATE SET verdict = excluded.verdict"};
constexpr Query drop_waiting{"delivery_drop",
                             "DELETE FROM delivery WHERE job = ANY($1::uuid[]) AND place = 0"};
constexpr Query hold_flying{
    "delivery_hold", "UPDATE delivery SET place = 3 WHERE job = ANY($1::uuid[]) AND place = 1"};

ArrayLiteral ids_of(const std::vector<JobEntry*>& jobs) {
  ArrayLiteral ids;
  for (const JobEntry* job : jobs) ids.add(job->id);
  return ids;
}

}  // namespace

std::vector<JobEntry*> WorkingSet::with(unsigned pending) {
  std::vector<JobEntry*> some;
  for (JobEntry* job : dirty_)
    if (job->pending & pending) some.push_back(job);
  return some;
}

void WorkingSet::settle() {
  write_leaving();
  write_jobs();
  write_bits();
  write_held_runs();
  write_tickets();
  write_holders();
  side_.write();
  eraser_.write();
  for (JobEntry* job : dirty_) job->pending = 0;
  dirty_.clear();
}

void WorkingSet::write_jobs() {
  write_jobs(bring_to_rest, JobEntry::job_rests);
  write_jobs(write_job_state, JobEntry::job_state);
  ArrayLiteral risen;
  for (const JobEntry* job : with(JobEntry::job_rises)) risen.add(job->id);
  if (!risen.empty()) session_.db.write(let_rise, risen);
  ArrayLiteral id, place, due, attempt, lost, has;
  for (const JobEntry* job : with(JobEntry::live_place)) {
    id.add(job->id);
    place.add(static_cast<int>(job->state));
    due.add(job->due);
    attempt.add(job->attempt);
    lost.add(job->lost);
    has.add(job->has);
  }
  if (!id.empty()) session_.db.write(place_live, id, place, due, attempt, lost, has);
}

void WorkingSet::write_jobs(const Query& query, unsigned pending) {
  ArrayLiteral id, state, epoch, attempt, lost, has, started, finished, expires, delete_id;
  for (const JobEntry* job : with(pending)) {
    id.add(job->id);
    state.add(stored(job->state));
    epoch.add(job->epoch);
    attempt.add(job->attempt);
    lost.add(job->lost);
    has.add(job->has);
    started.add(job->started);
    finished.add(job->finished);
    expires.add(job->expires);
    delete_id.add(job->delete_id);
  }
  if (!id.empty())
    session_.db.write(query, id, state, epoch, attempt, lost, has, started, finished, expires,
                      delete_id);
}

// Of jobs that no statement before has written whole.
void WorkingSet::write_bits() {
  constexpr unsigned whole = JobEntry::job_rests | JobEntry::job_state | JobEntry::live_place |
                             JobEntry::job_leaves | JobEntry::live_leaves;
  ArrayLiteral rest_id, rest_has, live_id, want, live_has;
  for (const JobEntry* job : with(JobEntry::has_bits | JobEntry::live_cancel)) {
    if (job->pending & whole) continue;
    const bool is_live = job->state <= JobState::running;
    (is_live ? live_id : rest_id).add(job->id);
    (is_live ? live_has : rest_has).add(job->has);
    if (is_live) want.add(job->cancel_requested ? 1 : 0);
  }
  if (!live_id.empty()) session_.db.write(cancel_live, live_id, want, live_has);
  if (!rest_id.empty()) session_.db.write(write_job_has, rest_id, rest_has);
}

void WorkingSet::write_tickets() {
  if (const auto held = with(JobEntry::hold_deliveries); !held.empty()) {
    session_.db.write(drop_waiting, ids_of(held));
    // In flight under a mark is a place of its own: the end of such a delivery matches nothing.
    session_.db.write(hold_flying, ids_of(held));
  }
  {
    ArrayLiteral job, delete_id, project, state, prior, who, why, at, copy, tomb, ukey, due;
    for (const JobEntry* entry : with(JobEntry::ticket_new)) {
      if (!entry->ticket) continue;
      const TicketState& ticket = *entry->ticket;
      job.add(entry->id);
      delete_id.add(ticket.delete_id);
      project.add(ticket.project);
      state.add(static_cast<int>(ticket.state));
      prior.add(static_cast<int>(ticket.was));
      who.add(ticket.who);
      why.add(ticket.reason);
      at.add(ticket.at);
      copy.add(ticket.copy_until);
      tomb.add(ticket.tomb_until);
      ukey.add(ticket.unique_key ? std::optional(Bytes{*ticket.unique_key}) : std::nullopt);
      due.add(ticket.due);
    }
    if (!job.empty())
      session_.db.write(insert_tickets, job, delete_id, project, state, prior, who, why, at, copy,
                        tomb, ukey, due);
  }
  ArrayLiteral job, state, tries, next_try, error, forced;
  for (const JobEntry* entry : with(JobEntry::ticket_change)) {
    if (!entry->ticket) continue;
    const TicketState& ticket = *entry->ticket;
    job.add(entry->id);
    state.add(static_cast<int>(ticket.state));
    tries.add(ticket.tries);
    next_try.add(ticket.next_try);
    error.add(Bytes{ticket.error});
    forced.add(ticket.forced);
  }
  if (!job.empty()) session_.db.write(update_tickets, job, state, tries, next_try, error, forced);
}

void WorkingSet::write_holders() {
  ArrayLiteral job, what, ref, node, life, epoch, verdict;
  for (const JobEntry* entry : with(JobEntry::holder_change)) {
    if (!entry->ticket) continue;
    for (const HolderState& one : entry->ticket->holders) {
      job.add(entry->id);
      what.add(static_cast<int>(one.holder.what));
      ref.add(one.holder.ref);
      node.add(one.holder.owner.node);
      life.add(one.holder.owner.life);
      epoch.add(one.holder.epoch);
      verdict.add(one.verdict ? std::optional(static_cast<int>(*one.verdict)) : std::nullopt);
    }
  }
  if (!job.empty()) session_.db.write(put_holders, job, what, ref, node, life, epoch, verdict);
  if (const auto closed = with(JobEntry::ticket_delete); !closed.empty())
    session_.db.write(close_tickets, ids_of(closed));
}

}  // namespace quell::storage::postgres
