#include "storage/sqlite/verbs/schedule.hpp"

#include "runtime/policy/webhook_outbox.hpp"
#include "storage/fire_births.hpp"

namespace quell::storage::sqlite {

Schedules::Schedules(SqliteSession& session, Steer& steer, Enqueue& enqueue, Deliveries& deliveries)
    : session_(session),
      steer_(steer),
      enqueue_(enqueue),
      deliveries_(deliveries),
      look_(session.db,
            "SELECT status, version, project, name, next, waiting FROM schedule WHERE id = ?"),
      add_(session.db,
           "INSERT INTO schedule (id, project, grp, name, status, version, terms, created, changed,"
           " next, wake) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?7, ?8, ?9)"),
      change_(session.db,
              "UPDATE schedule SET project = ?2, grp = ?3, name = ?4, status = ?5, terms = ?6,"
              " changed = ?7, next = ?8, wake = ?9, waiting = NULL, version = version + 1,"
              " missed = missed + (waiting IS NOT NULL) + CASE WHEN next IS NULL OR next > ?7"
              " THEN 0 WHEN next = ?10 THEN ?11 ELSE 1 END"
              " WHERE id = ?1"),
      reword_(session.db,
              "UPDATE schedule SET project = ?2, grp = ?3, name = ?4, status = ?5, terms = ?6,"
              " changed = ?7, wake = CASE WHEN ?8 AND wake IS NOT NULL THEN ?7 ELSE wake END,"
              " version = version + 1 WHERE id = ?1"),
      living_(session.db,
              "SELECT id FROM job WHERE schedule = ? AND schedule IS NOT NULL AND state = 0"
              " ORDER BY id"),
      leaving_(session.db,
               "SELECT 1 FROM job WHERE schedule = ? AND schedule IS NOT NULL AND state IN (4, 5)"
               " AND EXISTS (SELECT 1 FROM holder h WHERE h.job = job.id AND h.what = 0"
               " AND h.verdict IS NULL) LIMIT 1"),
      moved_(session.db,
             "UPDATE schedule SET next = ?2, wake = ?3, waiting = ?4, missed = missed + ?5"
             " WHERE id = ?1"),
      counted_(session.db,
               "UPDATE schedule SET fired = fired + ?2, overlapped = overlapped + ?3,"
               " last = coalesce(?4, last), last_job = coalesce(?5, last_job) WHERE id = ?1"),
      stop_(session.db,
            "UPDATE schedule SET status = 2, next = NULL, wake = NULL, waiting = NULL, error = '',"
            " changed = ?2, version = version + 1 WHERE id = ?1"),
      publish_(session.db,
               "INSERT OR REPLACE INTO task_message (task, project, requested, request, who, why,"
               " jobs, tries, next_try, error) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)"),
      ordered_(session.db, "SELECT jobs, requested FROM task_message WHERE task = ?"),
      lease_(session.db,
             "UPDATE task_message SET next_try = ?3 WHERE task = ?1 AND request = ?2"
             " AND (?4 IS NULL OR next_try = ?4)"),
      retry_(session.db,
             "UPDATE task_message SET next_try = ?3, error = ?4, tries = tries + 1"
             " WHERE task = ?1 AND request = ?2"),
      fail_(session.db,
            "UPDATE schedule SET status = 3, error = ?2, changed = ?3, version = version + 1"
            " WHERE id = ?1"),
      park_(session.db,
            "UPDATE task_message SET next_try = ?3, error = ?4 WHERE task = ?1 AND request = ?2"),
      again_(session.db,
             "UPDATE task_message SET tries = 0, error = '', next_try = ?2 WHERE task = ?1"),
      acknowledge_(session.db, "DELETE FROM task_message WHERE task = ? AND request = ?"),
      message_(session.db, "SELECT who FROM task_message WHERE task = ? AND request = ?"),
      remove_(session.db, "DELETE FROM schedule WHERE id = ?") {}

std::optional<Schedules::Head> Schedules::look(const Uuid& task) {
  Rows row = look_.rows(task);
  if (!row.next()) return std::nullopt;
  return Head{static_cast<ScheduleStatus>(row.number(0)),
              row.big(1),
              row.text(2),
              row.text(3),
              row.maybe_instant(4),
              row.maybe_instant(5)};
}

void Schedules::say(const std::optional<AuditOp>& audit) {
  if (audit) session_.audit.add(*audit);
}

SchedulePutResult Schedules::apply(const SchedulePutOp& op) {
  const auto head = look(op.row.id);
  if (!head && op.if_version != 0) return {};
  if (head && (is_leaving(head->status) || (op.if_version && *op.if_version != head->version)))
    return {false, head->version, head->status};
  const ScheduleRow& row = op.row;
  say(op.audit);
  if (head && op.keep_times) {
    reword_.run(row.id, row.project, row.group, row.name, static_cast<int>(row.status), row.terms,
                op.now, op.look_anew ? 1 : 0);
    return {true, head->version + 1, row.status};
  }
  if (head)
    change_.run(row.id, row.project, row.group, row.name, static_cast<int>(row.status), row.terms,
                op.now, row.next, row.wake, op.if_next, op.overdue);
  else
    add_.run(row.id, row.project, row.group, row.name, static_cast<int>(row.status), row.terms,
             op.now, row.next, row.wake);
  return {true, head ? head->version + 1 : 1, row.status};
}

std::vector<JobId> Schedules::living(const Uuid& task) {
  std::vector<JobId> all;
  for (Rows row = living_.rows(task.text()); row.next();) all.push_back(row.uuid(0));
  return all;
}

// A run under a delete, that nobody has seen down.
bool Schedules::runs_on(const Uuid& task) {
  Rows row = leaving_.rows(task.text());
  return row.next();
}

FireResult Schedules::apply(const FireOp& op) {
  FireResult result;
  const auto head = look(op.task);
  const bool is_as_read =
      head && (op.by_hand ? !is_leaving(head->status)
                          : head->status == ScheduleStatus::active && head->version == op.version &&
                                head->next == op.if_next && head->waiting == op.if_waiting);
  if (!is_as_read) return result;
  if (op.by_hand && is_changed(op.if_version, head->version)) {
    result.answer = FireAnswer::changed;
    result.version = head->version;
    return result;
  }
  std::vector<JobId> lives;
  if (asks_for_living(op)) lives = living(op.task);
  const bool one_lives = !lives.empty() || (asks_for_leaving(op) && runs_on(op.task));
  const FireBirths births = births_of_fire(op, one_lives);
  result.overlaps = births.overlaps;
  result.waits = births.waits.has_value();
  std::optional<Instant> last;
  for (const FireJob* job : births.now) {
    const EnqueueResult stored =
        enqueue_.apply(EnqueueOp{job->job, op.now, JobEvent::fire, job->deliveries});
    if (stored.answer == EnqueueAnswer::unique_conflict) {
      ++result.overlaps;
      result.existing = stored.existing;
      result.existing_state = stored.existing_state;
    }
    if (stored.answer != EnqueueAnswer::stored) continue;
    result.born.push_back(job->job.id);
    result.queues.push_back(job->job.queue);
    if (!op.by_hand) last = job->due;
  }
  if (cancels_the_old(op) && !result.born.empty())
    for (const JobId& old : lives)
      result.cancelled.emplace_back(old, steer_.apply(cancel_by_fire(op, old)));
  if (!op.by_hand)
    moved_.run(op.task, op.next, wake_after(op, result.waits), births.waits, op.missed);
  result.answer = result.born.empty() ? FireAnswer::held_back : FireAnswer::fired;
  const std::optional<JobId> last_job =
      result.born.empty() ? std::nullopt : std::optional(result.born.back());
  counted_.run(op.task, static_cast<std::int64_t>(result.born.size()), result.overlaps, last,
               last_job);
  if (!result.born.empty()) say(op.audit);
  if (!result.born.empty())
    deliveries_.add(session_.outbox.of_task(
        head->project, task_fired_event, op.task,
        task_fired_body(
            op.now,
            {.task = op.task, .project = head->project, .name = head->name, .jobs = result.born}),
        op.now));
  return result;
}

void Schedules::stop_firing(const Uuid& task, Instant now) {
  stop_.run(task, now);
}

void Schedules::publish(const TaskMessage& message, const std::string& project) {
  publish_.run(message.task, project, message.requested_at, message.request_id, message.who,
               message.reason, static_cast<int>(message.jobs), message.next_try, std::string());
}

// What the order that stands now does to the jobs; nothing when none was there.
std::optional<JobsOfTask> Schedules::join(TaskMessage message, const Head& head) {
  std::optional<JobsOfTask> known;
  Instant first;
  for (Rows row = ordered_.rows(message.task); row.next();) {
    known = static_cast<JobsOfTask>(row.number(0));
    first = row.instant(1);
  }
  if (!known || !is_stronger(message.jobs, *known)) return known;
  message.requested_at = first;
  publish(message, head.project);
  return message.jobs;
}

TaskDeleteResult Schedules::apply(const TaskDeleteOp& op) {
  const Uuid& task = op.message.task;
  const auto head = look(task);
  if (!head || is_other_project(op.message.project, head->project)) return {};
  if (head->status == ScheduleStatus::pending_delete)
    if (const auto stands = join(op.message, *head)) {
      say(op.audit);
      return {TaskDeleteAnswer::joined, head->project, head->name, 0, *stands};
    }
  if (is_changed(op.if_version, head->version))
    return {TaskDeleteAnswer::changed, head->project, head->name, head->version};
  stop_firing(task, op.now);
  publish(op.message, head->project);
  say(op.audit);
  return {TaskDeleteAnswer::scheduled, head->project, head->name, 0, op.message.jobs};
}

bool Schedules::again(const TaskWordOp& op) {
  const auto head = look(op.message.task);
  if (!head || !is_leaving(head->status)) return false;
  stop_firing(op.message.task, op.now);
  if (again_.run(op.message.task, op.message.next_try) == 1) return true;
  publish(op.message, head->project);
  return true;
}

bool Schedules::apply(const TaskWordOp& op) {
  const TaskMessage& message = op.message;
  switch (op.word) {
    case TaskWord::again:
      return again(op);
    case TaskWord::lease:
      return lease_.run(message.task, message.request_id, message.next_try, op.if_next_try) == 1;
    case TaskWord::retry:
      return retry_.run(message.task, message.request_id, message.next_try, message.error) == 1;
    case TaskWord::give_up:
      break;
  }
  if (park_.run(message.task, message.request_id, put_aside, message.error) != 1) return false;
  fail_.run(message.task, message.error, op.now);
  return true;
}

bool Schedules::apply(const TaskEraseOp& op) {
  const auto head = look(op.task);
  if (!head || head->status != ScheduleStatus::pending_delete) return false;
  std::optional<std::string> who;
  for (Rows row = message_.rows(op.task, op.request_id); row.next();) who = row.text(0);
  if (!who) return false;
  acknowledge_.run(op.task, op.request_id);
  remove_.run(op.task);
  deliveries_.add(session_.outbox.of_task(head->project, task_deleted_event, op.task,
                                          task_deleted_body(op.now, {.task = op.task,
                                                                     .project = head->project,
                                                                     .name = head->name,
                                                                     .who = *who,
                                                                     .request = op.request_id}),
                                          op.now));
  session_.audit.add({op.now, *who, std::string(task_deleted_event), op.task.text(), op.detail});
  return true;
}

}  // namespace quell::storage::sqlite
