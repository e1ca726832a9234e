#include "storage/postgres/working_set/working_set.hpp"

#include "runtime/base/assert.hpp"
#include "storage/joint_verdict.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query key_taken{
    "key_taken",
    "SELECT 1 FROM payload p WHERE p.job = $1::uuid AND ("
    " EXISTS (SELECT 1 FROM live WHERE project = $2::text AND ukey = p.ukey) OR"
    " EXISTS (SELECT 1 FROM ticket WHERE project = $2::text AND ukey = p.ukey))"};

}  // namespace

std::vector<Holder> TicketState::open() const {
  std::vector<Holder> all;
  for (const HolderState& one : holders)
    if (!one.verdict) all.push_back(one.holder);
  return all;
}

Verdict WorkingSet::joint_verdict(const JobEntry& job) {
  std::vector<std::pair<HolderKind, Verdict>> verdicts;
  for (const HolderKind what : job.doubts) verdicts.emplace_back(what, Verdict::lease_expired);
  if (job.ticket)
    for (const HolderState& one : job.ticket->holders)
      if (one.verdict) verdicts.emplace_back(one.holder.what, *one.verdict);
  return storage::joint_verdict(verdicts);
}

void WorkingSet::forget() {
  entries_.clear();
  dirty_.clear();
  eraser_.forget();
  side_.forget();
}

void WorkingSet::forget(const std::vector<JobId>& ids) {
  QUELL_ASSERT(dirty_.empty());
  for (const JobId& id : ids) entries_.erase(id);
}

void WorkingSet::touch(JobEntry& job, unsigned pending) {
  if (job.pending == 0) dirty_.push_back(&job);
  job.pending |= pending;
}

// The law looks at each move that the database sees; two moves of one job in one write would look
// like one that is not allowed.
void WorkingSet::change(JobEntry& job, JobState to, unsigned pending) {
  if (job.pending &
      (JobEntry::job_state | JobEntry::live_place | JobEntry::job_rests | JobEntry::job_rises))
    settle();
  session_.tally.moved(job.project, job.queue, job.state, to);
  job.state = to;
  if (to == JobState::queued) session_.came_back(job.queue);
  touch(job, pending);
}

void WorkingSet::end(JobEntry& job, JobState to, Instant now, std::optional<Instant> expires) {
  change(job, to, JobEntry::job_rests);
  job.finished = now;
  job.expires = expires;
  job.due.reset();
  job.cancel_requested = false;
  job.unique_key.reset();
}

void WorkingSet::come_back(JobEntry& job, JobState to, std::optional<Instant> due) {
  change(job, to, JobEntry::live_place);
  job.due = due;
  job.cancel_requested = false;
}

void WorkingSet::revive(JobEntry& job) {
  change(job, JobState::queued, JobEntry::job_rises);
  job.finished.reset();
  job.expires.reset();
  job.lost = 0;
}

void WorkingSet::request_cancel(JobEntry& job) {
  job.cancel_requested = true;
  touch(job, JobEntry::live_cancel);
}

void WorkingSet::add_bits(JobEntry& job, int has) {
  if (job.has == has) return;
  job.has = has;
  touch(job, JobEntry::has_bits);
}

void WorkingSet::mark(JobEntry& job, const MarkOp& op, bool goes_at_once) {
  const JobState was = job.state;
  unsigned rows = is_final(was) ? JobEntry::job_state : JobEntry::job_rests;
  if (goes_at_once &&
      !op.copy_until.of(job.queue))  // a copy is read from the row, which then has to be whole
    rows = is_final(was) ? JobEntry::job_leaves : JobEntry::live_leaves;
  else if (was == JobState::running && job.pending == 0)
    rows = JobEntry::run_leaves;
  change(job, JobState::pending_delete, rows);
  job.epoch += 1;
  job.delete_id = op.delete_id;
}

void WorkingSet::hold(JobEntry& job, JobState was, const MarkOp& op,
                      const std::vector<Holder>& holders) {
  TicketState& ticket = job.ticket.emplace();
  ticket.was = was;
  ticket.delete_id = op.delete_id;
  ticket.project = job.project;
  ticket.who = shown_text(op.who);
  ticket.reason = shown_text(op.reason);
  ticket.at = op.now;
  ticket.tomb_until = op.tomb_until;
  ticket.copy_until = op.copy_until.of(job.queue);
  ticket.due = job.due;
  ticket.unique_key = job.unique_key;
  for (const Holder& one : holders) ticket.holders.push_back({one, std::nullopt});
  touch(job, JobEntry::ticket_new | JobEntry::holder_change |
                 (job.has & has_deliveries ? JobEntry::hold_deliveries : 0U));
}

void WorkingSet::move_ticket(JobEntry& job, JobState to) {
  change(job, to, JobEntry::job_state | JobEntry::ticket_change);
  job.ticket->state = to;
}

void WorkingSet::close_ticket(JobEntry& job) {
  job.ticket.reset();
  touch(job, JobEntry::ticket_delete);
}

void WorkingSet::erase(JobEntry& job, Erasure what, Way way) {
  what.job = job.id;
  what.epoch = job.epoch;
  what.has = job.has;
  what.due = job.ticket ? job.ticket->due : job.due;
  what.was_live = (job.pending & JobEntry::live_leaves) != 0;
  session_.tally.gone(job.project, job.queue, job.state);
  session_.audit.erased(what.delete_id, way, what.who, what.now,
                        ErasedJob{job.id, what.was, what.verdict});
  session_.outbox.erased({what.delete_id, job.id, what.was, what.verdict, job.project}, what.now);
  job.exists = false;
  job.tombstone = TombstoneRow{what.delete_id, what.now, what.was};
  eraser_.add(std::move(what));
}

void WorkingSet::tell(JobEntry& job, std::string_view event, JobState state, Instant at,
                      std::string_view reason) {
  const auto all = session_.outbox.of_job({job.id, to_string(state), job.project, {}, reason},
                                          event, job.has_own_url, at);
  if (!all.empty()) add_bits(job, job.has | side_.deliveries(job.id, all));
}

bool WorkingSet::key_is_taken(const JobEntry& job) {
  settle();
  return !session_.db.run(key_taken, job.id, job.project).empty();
}

}  // namespace quell::storage::postgres
