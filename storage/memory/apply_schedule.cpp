// Schedules: put, fire, and the steps of their delete.
#include <algorithm>

#include "runtime/policy/webhook_outbox.hpp"
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

namespace {

ScheduleRow* find(Tables& tables, const Uuid& task) {
  const auto at = tables.schedules.find(task);
  return at == tables.schedules.end() ? nullptr : &at->second;
}

TaskMessage* find_message(Tables& tables, const Uuid& task, const std::string& request) {
  const auto at = tables.task_messages.find(task);
  if (at == tables.task_messages.end() || at->second.request_id != request) return nullptr;
  return &at->second;
}

std::vector<JobId> living_jobs(const Tables& tables, const Uuid& task) {
  std::vector<JobId> living;
  for (const auto& [id, job] : tables.jobs)
    if (job.options.schedule == task.text() && !is_final(job.state) && !is_leaving(job.state))
      living.push_back(id);
  return living;
}

// A run under a delete, that nobody has seen down.
bool runs_on(const Tables& tables, const Uuid& task) {
  return std::any_of(tables.tickets.begin(), tables.tickets.end(), [&](const auto& one) {
    const auto job = tables.jobs.find(one.first);
    if (job == tables.jobs.end() || job->second.options.schedule != task.text()) return false;
    const std::vector<Holder> open = open_of(one.second);
    return std::any_of(open.begin(), open.end(),
                       [](const Holder& holder) { return holder.what == HolderKind::run; });
  });
}

void stop_firing(ScheduleRow& row, Instant now) {
  row.status = ScheduleStatus::pending_delete;
  row.next.reset();
  row.wake.reset();
  row.waiting.reset();
  row.error.clear();
  row.changed = now;
  ++row.version;
}

bool may_fire(const ScheduleRow& row, const FireOp& op) {
  if (op.by_hand) return !is_leaving(row.status);
  return row.status == ScheduleStatus::active && row.version == op.version &&
         row.next == op.if_next && row.waiting == op.if_waiting;
}

void say(Tables& tables, const std::optional<AuditOp>& audit) {
  if (!audit) return;
  AuditRow row;
  row.at = audit->at;
  row.who = audit->who;
  row.what = audit->what;
  row.ref = audit->ref;
  row.detail = audit->detail;
  tables.append_audit(std::move(row));
}

struct Births {
  std::vector<const FireJob*> now;
  std::optional<Instant> waits;
};

Births births_of(const FireOp& op, bool one_lives) {
  Births births;
  const auto& jobs = op.jobs;
  if (op.by_hand || op.overlap == Overlap::allow) {
    for (const FireJob& job : jobs) births.now.push_back(&job);
    return births;
  }
  if (jobs.empty()) return births;
  if (op.overlap == Overlap::queue_one) {
    if (!one_lives) births.now.push_back(&jobs.front());
    if (one_lives)
      births.waits = jobs.front().due;
    else if (jobs.size() > 1)
      births.waits = jobs[1].due;
    return births;
  }
  if (op.overlap == Overlap::cancel_old || !one_lives) births.now.push_back(&jobs.back());
  return births;
}

void tell_fired(Tables& tables, const ScheduleRow& row, const FireResult& result, Instant now) {
  const std::string body = task_fired_body(
      now, {.task = row.id, .project = row.project, .name = row.name, .jobs = result.born});
  apply_one(tables,
            NoticeOp{{},
                     JobState::cancelled,
                     tables.outbox.of_task(row.project, task_fired_event, row.id, body, now)});
}

}  // namespace

SchedulePutResult apply_one(Tables& tables, const SchedulePutOp& op) {
  ScheduleRow* row = find(tables, op.row.id);
  if (!row) {
    if (op.if_version.value_or(1) != 0) return {};
    ScheduleRow fresh = op.row;
    fresh.version = 1;
    fresh.created = fresh.changed = op.now;
    fresh.waiting.reset();
    fresh.last.reset();
    fresh.last_job.reset();
    fresh.fired = fresh.missed = fresh.overlaps = 0;
    fresh.error.clear();
    tables.schedules.emplace(fresh.id, fresh);
    say(tables, op.audit);
    return {true, 1, fresh.status};
  }
  if (is_leaving(row->status) || (op.if_version && *op.if_version != row->version))
    return {false, row->version, row->status};
  row->project = op.row.project;
  row->group = op.row.group;
  row->name = op.row.name;
  row->status = op.row.status;
  row->terms = op.row.terms;
  if (!op.keep_times) {
    if (row->next && *row->next <= op.now) row->missed += row->next == op.if_next ? op.overdue : 1;
    if (row->waiting) ++row->missed;
    row->next = op.row.next;
    row->wake = op.row.wake;
    row->waiting.reset();
  } else if (op.look_anew && row->wake) {
    row->wake = op.now;
  }
  row->changed = op.now;
  ++row->version;
  say(tables, op.audit);
  return {true, row->version, row->status};
}

FireResult apply_one(Tables& tables, const FireOp& op) {
  FireResult result;
  ScheduleRow* row = find(tables, op.task);
  if (!row || !may_fire(*row, op)) return result;
  if (op.by_hand && is_changed(op.if_version, row->version)) {
    result.answer = FireAnswer::changed;
    result.version = row->version;
    return result;
  }
  const std::vector<JobId> living = living_jobs(tables, op.task);
  const Births births = births_of(op, !living.empty() || runs_on(tables, op.task));
  result.overlaps =
      static_cast<std::int64_t>(op.jobs.size() - births.now.size()) - (births.waits ? 1 : 0);
  for (const FireJob* job : births.now) {
    const EnqueueResult stored =
        apply_one(tables, EnqueueOp{job->job, op.now, JobEvent::fire, job->deliveries});
    if (stored.answer == EnqueueAnswer::unique_conflict) {
      ++result.overlaps;
      result.existing = stored.existing;
      result.existing_state = stored.existing_state;
    }
    if (stored.answer != EnqueueAnswer::stored) continue;
    result.born.push_back(job->job.id);
    result.queues.push_back(job->job.queue);
    row->last_job = job->job.id;
    if (!op.by_hand) row->last = job->due;
  }
  if (op.overlap == Overlap::cancel_old && !op.by_hand && !result.born.empty())
    for (const JobId& old : living)
      result.cancelled.emplace_back(
          old,
          apply_one(tables, SteerOp{old, JobEvent::cancel, {}, op.now, {}, op.cancelled_expires}));
  result.answer = result.born.empty() ? FireAnswer::held_back : FireAnswer::fired;
  result.waits = births.waits.has_value();
  row->fired += static_cast<std::int64_t>(result.born.size());
  row->overlaps += result.overlaps;
  if (!op.by_hand) {
    row->missed += op.missed;
    row->next = op.next;
    row->waiting = births.waits;
    row->wake = op.wake;
    if (births.waits) row->wake = op.wake ? std::min(*op.wake, op.look_again) : op.look_again;
  }
  if (!result.born.empty()) {
    say(tables, op.audit);
    tell_fired(tables, *row, result, op.now);
  }
  return result;
}

TaskDeleteResult apply_one(Tables& tables, const TaskDeleteOp& op) {
  ScheduleRow* row = find(tables, op.message.task);
  const std::string& wanted = op.message.project;
  if (!row || (!wanted.empty() && wanted != row->project)) return {};
  TaskDeleteResult result{TaskDeleteAnswer::joined, row->project, row->name, 0, op.message.jobs};
  TaskMessage message = op.message;
  message.project = row->project;
  message.tries = 0;
  message.error.clear();
  const auto known = tables.task_messages.find(row->id);
  if (row->status == ScheduleStatus::pending_delete && known != tables.task_messages.end()) {
    message.requested_at = known->second.requested_at;
    if (is_stronger(message.jobs, known->second.jobs)) known->second = message;
    result.jobs = known->second.jobs;
    say(tables, op.audit);
    return result;
  }
  if (is_changed(op.if_version, row->version)) {
    result.answer = TaskDeleteAnswer::changed;
    result.version = row->version;
    return result;
  }
  stop_firing(*row, op.now);
  tables.task_messages.insert_or_assign(row->id, message);
  say(tables, op.audit);
  result.answer = TaskDeleteAnswer::scheduled;
  return result;
}

bool apply_one(Tables& tables, const TaskWordOp& op) {
  ScheduleRow* row = find(tables, op.message.task);
  if (op.word == TaskWord::again) {
    if (!row || !is_leaving(row->status)) return false;
    stop_firing(*row, op.now);
    TaskMessage message = op.message;
    if (const auto known = tables.task_messages.find(row->id); known != tables.task_messages.end())
      message = known->second;
    message.project = row->project;
    message.tries = 0;
    message.error.clear();
    message.next_try = op.message.next_try;
    tables.task_messages.insert_or_assign(row->id, message);
    return true;
  }
  TaskMessage* message = find_message(tables, op.message.task, op.message.request_id);
  if (!row || !message) return false;
  if (op.word == TaskWord::lease) {
    if (op.if_next_try && *op.if_next_try != message->next_try) return false;
    message->next_try = op.message.next_try;
    return true;
  }
  if (op.word == TaskWord::retry) {
    message->next_try = op.message.next_try;
    message->error = op.message.error;
    ++message->tries;
    return true;
  }
  row->status = ScheduleStatus::delete_failed;
  row->error = op.message.error;
  row->changed = op.now;
  ++row->version;
  message->next_try = put_aside;
  message->error = op.message.error;
  return true;
}

bool apply_one(Tables& tables, const TaskEraseOp& op) {
  const ScheduleRow* row = find(tables, op.task);
  const TaskMessage* message = find_message(tables, op.task, op.request_id);
  if (!row || !message || row->status != ScheduleStatus::pending_delete) return false;
  const std::string body = task_deleted_body(op.now, {.task = row->id,
                                                      .project = row->project,
                                                      .name = row->name,
                                                      .who = message->who,
                                                      .request = message->request_id});
  apply_one(tables, NoticeOp{{},
                             JobState::cancelled,
                             tables.outbox.of_task(row->project, task_deleted_event, row->id, body,
                                                   op.now)});
  say(tables,
      AuditOp{op.now, message->who, std::string(task_deleted_event), op.task.text(), op.detail});
  tables.task_messages.erase(op.task);
  tables.schedules.erase(op.task);
  return true;
}

}  // namespace quell::storage::memory
