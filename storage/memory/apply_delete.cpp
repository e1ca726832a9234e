// Mark, verdict, ticket, force: the delete's own verbs.
#include <algorithm>

#include "runtime/base/assert.hpp"
#include "storage/call_slices.hpp"
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

namespace {

std::vector<HolderRow> holders_of(const Tables& tables, const JobRow& job, JobState was,
                                  int epoch_before) {
  std::vector<HolderRow> rows;
  if (was == JobState::running)
    rows.push_back({Holder{HolderKind::run, job.id, job.owner, epoch_before}, {}});
  const auto own = tables.deliveries_of.find(job.id);
  if (own == tables.deliveries_of.end()) return rows;
  for (const Uuid& id : own->second) {
    const DeliveryRow& delivery = tables.deliveries.at(id);
    if (delivery.place == Place::in_flight)
      rows.push_back({Holder{HolderKind::delivery, id, delivery.owner, 0}, {}});
  }
  return rows;
}

int remove_waiting(Tables& tables, JobId job) {
  const auto own = tables.deliveries_of.find(job);
  if (own == tables.deliveries_of.end()) return 0;
  int removed = 0;
  for (auto id = own->second.begin(); id != own->second.end();) {
    if (tables.deliveries.at(*id).place != Place::waiting) {
      ++id;
      continue;
    }
    tables.deliveries.erase(*id);
    id = own->second.erase(id);
    ++removed;
  }
  return removed;
}

void mark(Tables& tables, JobRow& job, const MarkOp& op, MarkedJob& answer) {
  const int epoch_before = job.epoch;
  TicketRow ticket;
  ticket.was = job.state;
  ticket.delete_id = op.delete_id;
  ticket.who = op.who;
  ticket.reason = op.reason;
  ticket.at = op.now;
  ticket.tomb_until = op.tomb_until;
  ticket.copy_until = op.copy_until.of(job.queue);
  ticket.due = job.due;
  QUELL_ASSERT(tables.move(job, JobEvent::mark));
  ++job.epoch;
  job.delete_id = op.delete_id;
  if (op.in_summary) tables.outbox.in_summary(op, job.project);
  ticket.holders = holders_of(tables, job, ticket.was, epoch_before);
  answer.epoch = job.epoch;
  answer.delete_id = op.delete_id;
  answer.deliveries_removed = remove_waiting(tables, job.id);
  answer.open = open_of(ticket);
  if (answer.open.empty()) {
    answer.answer = MarkAnswer::erased;
    answer.copy_until = ticket.copy_until;
    answer.verdict = tables.joint_verdict(job.id, ticket);
    tables.erase(job, ticket, JobEvent::erase, answer.verdict, op.now, op.who);
    return;
  }
  answer.answer = MarkAnswer::held;
  tables.tickets.emplace(job.id, std::move(ticket));
}

MarkedJob mark_one(Tables& tables, JobId id, const MarkOp& op) {
  MarkedJob answer;
  answer.job = id;
  JobRow* job = tables.find(id);
  if (!job) {
    const auto tomb = tables.tombs.find(id);
    if (tomb == tables.tombs.end()) return answer;
    answer.answer = MarkAnswer::already_gone;
    answer.was = tomb->second.was;
    answer.delete_id = tomb->second.delete_id;
    answer.deleted_at = tomb->second.at;
    return answer;
  }
  if (!op.project.empty() && op.project != job->project) return answer;
  answer.was = job->state;
  answer.epoch = job->epoch;
  answer.queue = job->queue;
  answer.project = job->project;
  if (is_leaving(job->state)) {
    const TicketRow& first = tables.tickets.at(id);
    answer.answer = MarkAnswer::joined;
    answer.was = first.was;
    answer.delete_id = first.delete_id;
    answer.open = open_of(first);
  } else if (job->options.is_protected) {
    answer.answer = MarkAnswer::protected_job;
  } else if (auto why = protection_of(op.protection, job->queue, job->options.tags); !why.empty()) {
    answer.answer = MarkAnswer::protected_job;
    answer.refusal = std::move(why);
  } else {
    mark(tables, *job, op, answer);
  }
  return answer;
}

void keep_call(Tables& tables, const MarkOp& op) {
  CallRow call;
  call.view = {op.delete_id, op.who, op.reason, op.path, unmarked_after(op), "", op.now};
  call.until = op.tomb_until;
  const auto [at, is_new] = tables.calls.emplace(op.delete_id, std::move(call));
  std::string& note = at->second.view.counts;
  if (is_new || op.slices == 1 || !note.starts_with(unmarked_prefix)) return;
  const std::string slice = marked_slice(op);
  if (const auto place = note.find(slice); place != std::string::npos)
    note.replace(place, slice.size(), "|");
}

// Erases with the last one.
VerdictResult close_holder(Tables& tables, JobId id, HolderRow& holder, Verdict verdict,
                           Instant now) {
  QUELL_ASSERT(proof_of(verdict) != Proof::pending);
  holder.verdict = verdict;
  const auto at = tables.tickets.find(id);
  TicketRow& ticket = at->second;
  VerdictResult result;
  result.delete_id = ticket.delete_id;
  result.was = ticket.was;
  result.verdict = tables.joint_verdict(id, ticket);
  const bool is_last = open_of(ticket).empty();
  if (!ticket.forced) result.answer = VerdictAnswer::waiting;
  if (!is_last) return result;
  if (!ticket.forced) {
    result.answer = VerdictAnswer::erased;
    result.copy_until = ticket.copy_until;
    tables.erase(tables.jobs.at(id), ticket, JobEvent::erase, result.verdict, now, ticket.who);
  }
  tables.tickets.erase(at);
  return result;
}

}  // namespace

std::vector<MarkedJob> apply_one(Tables& tables, const MarkOp& op) {
  if (op.keep_receipt) keep_call(tables, op);
  std::vector<MarkedJob> answers;
  for (const JobId& id : op.jobs) answers.push_back(mark_one(tables, id, op));
  if (const auto joined = joined_of(op, answers); op.keep_receipt && !joined.empty()) {
    std::string& counts = tables.calls.at(op.delete_id).view.counts;
    counts = with_joined(std::move(counts), joined);
  }
  return answers;
}

VerdictResult apply_one(Tables& tables, const VerdictOp& op) {
  const auto ticket = tables.tickets.find(op.job);
  if (ticket == tables.tickets.end()) return {};
  for (HolderRow& row : ticket->second.holders)
    if (!row.verdict && row.holder.what == op.what && row.holder.ref == op.ref &&
        row.holder.owner == op.owner && row.holder.epoch == op.epoch)
      return close_holder(tables, op.job, row, op.verdict, op.now);
  return {};
}

bool apply_one(Tables& tables, const TicketOp& op) {
  const auto at = tables.tickets.find(op.job);
  if (at == tables.tickets.end()) return false;
  TicketRow& ticket = at->second;
  if (op.event) {
    if (*op.event != JobEvent::fail_delete && *op.event != JobEvent::retry_delete) return false;
    if (ticket.forced || !tables.move(tables.jobs.at(op.job), *op.event)) return false;
    ticket.state = tables.jobs.at(op.job).state;
    if (*op.event == JobEvent::retry_delete) ticket.tries = 0;
  }
  ticket.error = op.error;
  ticket.next_try = op.next_try;
  if (op.count_try) ++ticket.tries;
  return true;
}

ForceResult apply_one(Tables& tables, const ForceOp& op) {
  ForceResult result;
  const auto at = tables.tickets.find(op.job);
  if (at == tables.tickets.end()) return result;
  TicketRow& ticket = at->second;
  result.delete_id = ticket.delete_id;
  result.open = open_of(ticket);
  result.was = ticket.was;
  if (ticket.forced) return result;
  result.erased = true;
  result.copy_until = ticket.copy_until;
  tables.erase(tables.jobs.at(op.job), ticket, JobEvent::force, Verdict::not_confirmed, op.now,
               op.who);
  ticket.forced = true;
  return result;
}

}  // namespace quell::storage::memory
