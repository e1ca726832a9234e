// The many of one call that nothing but their run holds, on one node: a ticket and a holder each,
// in one statement that is told once what is the same for all.
#include <algorithm>
#include <tuple>

#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query hold_runs{
    "ticket_hold_runs",
    "WITH f AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::int[]) f(job, epoch)),"
    " t AS (INSERT INTO ticket (job, delete_id, project, state, prior, who, why, at, copy_until,"
    " tomb_until) SELECT job, $3::uuid, $4::text, $5::smallint, $6::smallint, $7::text, $8::text,"
    " $9::bigint, $10::bigint, $11::bigint FROM f)"
    " INSERT INTO holder (job, what, ref, node, life, epoch)"
    " SELECT job, $12::smallint, job, $13::uuid, $14::bigint, epoch FROM f"};

bool is_held_by_its_run(const JobEntry& job) {
  if (!(job.pending & JobEntry::ticket_new) || !job.ticket || job.ticket->unique_key ||
      job.ticket->holders.size() != 1)
    return false;
  const HolderState& one = job.ticket->holders.front();
  return one.holder.what == HolderKind::run && one.holder.ref == job.id && !one.verdict;
}

auto likeness(const JobEntry& job) {
  const TicketState& ticket = *job.ticket;
  const NodeLife& node = ticket.holders.front().holder.owner;
  return std::tie(ticket.delete_id, ticket.project, ticket.state, ticket.was, ticket.who,
                  ticket.reason, ticket.at, ticket.copy_until, ticket.tomb_until, node.node,
                  node.life);
}

}  // namespace

void WorkingSet::write_held_runs() {
  std::vector<JobEntry*> held;
  for (JobEntry* job : dirty_)
    if (is_held_by_its_run(*job)) held.push_back(job);
  std::sort(held.begin(), held.end(),
            [](const JobEntry* a, const JobEntry* b) { return likeness(*a) < likeness(*b); });
  for (auto from = held.begin(); from != held.end();) {
    const auto to = std::find_if(
        from, held.end(), [&](const JobEntry* one) { return likeness(*one) != likeness(**from); });
    if (to - from >= many_alike) write_held_runs({from, to});
    from = to;
  }
}

void WorkingSet::write_held_runs(const std::vector<JobEntry*>& alike) {
  ArrayLiteral id, epoch;
  for (JobEntry* job : alike) {
    id.add(job->id);
    epoch.add(job->ticket->holders.front().holder.epoch);
    job->pending &= ~(JobEntry::ticket_new | JobEntry::holder_change);
  }
  const TicketState& one = *alike.front()->ticket;
  const NodeLife node = one.holders.front().holder.owner;
  session_.db.write(hold_runs, id, epoch, one.delete_id, one.project, static_cast<int>(one.state),
                    static_cast<int>(one.was), one.who, one.reason, one.at, one.copy_until,
                    one.tomb_until, static_cast<int>(HolderKind::run), node.node, node.life);
}

}  // namespace quell::storage::postgres
