#include "storage/postgres/verbs/mark.hpp"

#include "storage/call_slices.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query add_call{
    "call_add",
    "INSERT INTO call (delete_id, who, reason, path, at, until) VALUES ($1::uuid, $2::text,"
    " $3::text, $4::text, $5::bigint, $6::bigint) ON CONFLICT DO NOTHING"};
// Only the note is changed: a call that has its last word keeps it.
constexpr Query add_slice{
    "call_slice",
    "INSERT INTO call (delete_id, who, reason, path, at, until, counts) VALUES ($1::uuid, $2::text,"
    " $3::text, $4::text, $5::bigint, $6::bigint, $7::bytea) ON CONFLICT (delete_id) DO UPDATE"
    " SET counts = convert_to(replace(convert_from(call.counts, 'UTF8'), $8::text, '|'), 'UTF8')"
    " WHERE position($9::bytea IN call.counts) = 1"};
// Two slices of a call may be marked at once.
constexpr Query read_note_of_call{"call_note",
                                  "SELECT counts FROM call WHERE delete_id = $1::uuid FOR UPDATE"};
constexpr Query set_note{"call_note_set",
                         "UPDATE call SET counts = $1::bytea WHERE delete_id = $2::uuid"};

}  // namespace

void Mark::want(const Batch& batch, WorkingSet::Wanted& wanted) {
  for (const MarkOp& op : batch.marks) {
    wanted.jobs.insert(wanted.jobs.end(), op.jobs.begin(), op.jobs.end());
    wanted.deliveries.insert(wanted.deliveries.end(), op.jobs.begin(), op.jobs.end());
    if (op.protection && !op.protection->tags.empty())
      wanted.tags.insert(wanted.tags.end(), op.jobs.begin(), op.jobs.end());
  }
}

std::vector<MarkedJob> Mark::apply(const MarkOp& op) {
  if (op.keep_receipt) keep_call(op);
  std::vector<MarkedJob> answers;
  answers.reserve(op.jobs.size());
  for (const JobId& job : op.jobs) answers.push_back(mark_one(job, op));
  if (op.keep_receipt) note_joined(op, answers);
  return answers;
}

void Mark::note_joined(const MarkOp& op, const std::vector<MarkedJob>& answers) {
  const std::vector<JobId> joined = joined_of(op, answers);
  if (joined.empty()) return;
  Connection& db = rows_.session().db;
  const Rows found = db.run(read_note_of_call, op.delete_id);
  if (found.empty()) return;
  const std::string note = with_joined(found[0].bytes(0), joined);
  db.write(set_note, Bytes{note}, op.delete_id);
}

void Mark::keep_call(const MarkOp& op) {
  Connection& db = rows_.session().db;
  if (op.slices == 1)
    db.write(add_call, op.delete_id, shown_text(op.who), shown_text(op.reason), shown_text(op.path),
             op.now, op.tomb_until);
  else
    db.write(add_slice, op.delete_id, shown_text(op.who), shown_text(op.reason),
             shown_text(op.path), op.now, op.tomb_until, Bytes{unmarked_after(op)},
             marked_slice(op), Bytes{unmarked_prefix});
}

MarkedJob Mark::mark_one(JobId id, const MarkOp& op) {
  MarkedJob answer;
  answer.job = id;
  JobEntry& job = rows_.at(id);
  if (!job.exists) {
    if (job.tombstone) {
      answer.answer = MarkAnswer::already_gone;
      answer.was = job.tombstone->was;
      answer.delete_id = job.tombstone->delete_id;
      answer.deleted_at = job.tombstone->at;
    }
    return answer;
  }
  if (is_other_project(op.project, job.project)) return answer;
  answer.was = job.state;
  answer.epoch = job.epoch;
  answer.queue = job.queue;
  answer.project = job.project;
  if (is_leaving(job.state)) {
    if (!job.ticket)
      throw PgFault(Error{ErrorCode::store_corrupt, "a leaving job has no ticket"}, Cure::none);
    answer.answer = MarkAnswer::joined;
    answer.was = job.ticket->was;
    answer.delete_id = job.ticket->delete_id;
    answer.open = job.ticket->open();
  } else if (job.has & is_protected) {
    answer.answer = MarkAnswer::protected_job;
  } else if (auto why = protection_of(op.protection, job.queue, job.tags); !why.empty()) {
    answer.answer = MarkAnswer::protected_job;
    answer.refusal = std::move(why);
  } else {
    mark(job, op, answer);
  }
  return answer;
}

void Mark::mark(JobEntry& job, const MarkOp& op, MarkedJob& answer) {
  const JobState was = job.state;
  if (op.in_summary) rows_.session().outbox.in_summary(op, job.project);
  if (was == JobState::running)
    answer.open.push_back(Holder{HolderKind::run, job.id, job.owner, job.epoch});
  answer.open.insert(answer.open.end(), job.flying.begin(), job.flying.end());
  answer.deliveries_removed = static_cast<int>(job.waiting.size());
  rows_.mark(job, op, answer.open.empty());
  answer.delete_id = op.delete_id;
  answer.epoch = job.epoch;
  if (!answer.open.empty()) {
    answer.answer = MarkAnswer::held;
    rows_.hold(job, was, op, answer.open);
    return;
  }
  answer.answer = MarkAnswer::erased;
  answer.copy_until = op.copy_until.of(job.queue);
  answer.verdict = WorkingSet::joint_verdict(job);
  Erasure what;
  what.delete_id = op.delete_id;
  what.was = was;
  what.verdict = answer.verdict;
  what.who = op.who;
  what.now = op.now;
  what.tomb_until = op.tomb_until;
  what.copy_until = answer.copy_until;
  rows_.erase(job, std::move(what), Way::erase);
}

}  // namespace quell::storage::postgres
