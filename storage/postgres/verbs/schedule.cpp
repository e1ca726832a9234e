#include "storage/postgres/verbs/schedule.hpp"

#include "runtime/policy/webhook_outbox.hpp"
#include "storage/fire_births.hpp"

namespace quell::storage::postgres {

namespace {

// In the order of their ids, as everybody locks them. Whoever waited sees the row as it is then.
constexpr Query lock_schedules{
    "schedule_lock",
    "SELECT id, status, version, project, name, next, waiting FROM schedule"
    " WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"};
constexpr Query add_schedule{
    "schedule_add",
    "INSERT INTO schedule (id, project, grp, name, status, version, terms, created, changed, next,"
    " wake) VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::smallint, 1, $6::bytea,"
    " $7::bigint, $7::bigint, $8::bigint, $9::bigint) ON CONFLICT DO NOTHING"};
constexpr Query change_schedule{
    "schedule_change",
    "UPDATE schedule SET project = $2::text, grp = $3::text, name = $4::text,"
    " status = $5::smallint, terms = $6::bytea, changed = $7::bigint, next = $8::bigint,"
    " wake = $9::bigint, waiting = NULL, version = version + 1,"
    " missed = missed + CASE WHEN waiting IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN next IS NULL OR next > $7::bigint THEN 0 WHEN next = $10::bigint"
    " THEN $11::bigint ELSE 1 END WHERE id = $1::uuid"};
constexpr Query reword_schedule{
    "schedule_reword",
    "UPDATE schedule SET project = $2::text, grp = $3::text, name = $4::text,"
    " status = $5::smallint, terms = $6::bytea, changed = $7::bigint, version = version + 1,"
    " wake = CASE WHEN $8::int = 1 AND wake IS NOT NULL THEN $7::bigint ELSE wake END"
    " WHERE id = $1::uuid"};
constexpr Query living_jobs{"schedule_living",
                            "SELECT schedule, job FROM live WHERE schedule = ANY($1::text[])"
                            " AND schedule IS NOT NULL ORDER BY job"};
constexpr Query leaving_runs{
    "schedule_leaving_runs",
    "SELECT DISTINCT j.schedule FROM job j WHERE j.schedule = ANY($1::text[])"
    " AND j.schedule IS NOT NULL AND j.state IN (4, 5) AND EXISTS (SELECT 1 FROM holder h"
    " WHERE h.job = j.id AND h.what = 0 AND h.verdict IS NULL)"};
constexpr Query write_fires{
    "schedule_fired",
    "UPDATE schedule s SET next = CASE WHEN f.hand = 1 THEN s.next ELSE f.next END,"
    " wake = CASE WHEN f.hand = 1 THEN s.wake ELSE f.wake END,"
    " waiting = CASE WHEN f.hand = 1 THEN s.waiting ELSE f.waiting END,"
    " missed = s.missed + f.missed, fired = s.fired + f.fired, overlapped = s.overlapped + "
    "f.overlapped,"
    " last = coalesce(f.last, s.last), last_job = coalesce(f.last_job, s.last_job)"
    " FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bigint[], $7::bigint[], $8::bigint[], $9::uuid[], $10::int[])"
    " f(id, next, wake, waiting, missed, fired, overlapped, last, last_job, hand)"
    " WHERE s.id = f.id"};
constexpr Query stop_firing{
    "schedule_stop",
    "UPDATE schedule SET status = 2, next = NULL, wake = NULL, waiting = NULL, error = '',"
    " changed = $2::bigint, version = version + 1 WHERE id = $1::uuid"};
constexpr Query publish{
    "task_publish",
    "INSERT INTO task_message (task, project, requested, request, who, why, jobs, tries, next_try,"
    " error) VALUES ($1::uuid, $2::text, $3::bigint, $4::text, $5::text, $6::text, $7::smallint, 0,"
    " $8::bigint, $9::text) ON CONFLICT (task) DO UPDATE SET project = excluded.project,"
    " requested = excluded.requested, request = excluded.request, who = excluded.who,"
    " why = excluded.why, jobs = excluded.jobs, tries = 0, next_try = excluded.next_try,"
    " error = excluded.error"};
constexpr Query ordered{"task_ordered",
                        "SELECT jobs, requested FROM task_message WHERE task = $1::uuid"};
constexpr Query lease{"task_lease",
                      "UPDATE task_message SET next_try = $3::bigint WHERE task = $1::uuid"
                      " AND request = $2::text AND ($4::bigint IS NULL OR next_try = $4::bigint)"};
constexpr Query retry{"task_retry",
                      "UPDATE task_message SET next_try = $3::bigint, error = $4::text,"
                      " tries = tries + 1 WHERE task = $1::uuid AND request = $2::text"};
constexpr Query fail{"task_fail",
                     "UPDATE schedule SET status = 3, error = $2::text, changed = $3::bigint,"
                     " version = version + 1 WHERE id = $1::uuid"};
constexpr Query park{"task_park",
                     "UPDATE task_message SET next_try = $3::bigint, error = $4::text"
                     " WHERE task = $1::uuid AND request = $2::text"};
constexpr Query try_again{"task_again",
                          "UPDATE task_message SET tries = 0, error = '', next_try = $2::bigint"
                          " WHERE task = $1::uuid"};
constexpr Query acknowledge{
    "task_acknowledge",
    "DELETE FROM task_message WHERE task = $1::uuid AND request = $2::text RETURNING who"};
constexpr Query remove_schedule{"schedule_remove", "DELETE FROM schedule WHERE id = $1::uuid"};

}  // namespace

struct Schedules::Fire {
  const FireOp* op;
  FireResult* result;
  std::optional<Instant> waits = {}, last = {};
};

std::map<Uuid, Schedules::Head> Schedules::lock(const std::vector<Uuid>& tasks) {
  ArrayLiteral ids;
  for (const Uuid& task : tasks) ids.add(task);
  std::map<Uuid, Head> heads;
  const Rows rows = session_.db.run(lock_schedules, ids);
  for (const Row row : rows)
    heads[row.uuid(0)] = {static_cast<ScheduleStatus>(row.number(1)),
                          row.big(2),
                          row.text(3),
                          row.text(4),
                          row.maybe_instant(5),
                          row.maybe_instant(6)};
  return heads;
}

std::optional<Schedules::Head> Schedules::lock(const Uuid& task) {
  auto heads = lock(std::vector{task});
  return heads.empty() ? std::nullopt : std::optional(std::move(heads.begin()->second));
}

void Schedules::say(const std::optional<AuditOp>& audit) {
  if (audit) session_.audit.say(*audit);
}

SchedulePutResult Schedules::apply(const SchedulePutOp& op) {
  const ScheduleRow& row = op.row;
  while (true) {
    const auto head = lock(row.id);
    if (!head && op.if_version != 0) return {};
    if (head && (is_leaving(head->status) || (op.if_version && *op.if_version != head->version)))
      return {false, head->version, head->status};
    if (head && op.keep_times) {
      session_.db.write(reword_schedule, row.id, row.project, row.group, shown_text(row.name),
                        static_cast<int>(row.status), Bytes{row.terms}, op.now,
                        op.look_anew ? 1 : 0);
      say(op.audit);
      return {true, head->version + 1, row.status};
    }
    if (head) {
      session_.db.write(change_schedule, row.id, row.project, row.group, shown_text(row.name),
                        static_cast<int>(row.status), Bytes{row.terms}, op.now, row.next, row.wake,
                        op.if_next, op.overdue);
      say(op.audit);
      return {true, head->version + 1, row.status};
    }
    const int written =
        session_.db
            .run(add_schedule, row.id, row.project, row.group, shown_text(row.name),
                 static_cast<int>(row.status), Bytes{row.terms}, op.now, row.next, row.wake)
            .touched();
    // Else somebody else added it: look again.
    if (written == 0) continue;
    say(op.audit);
    return {true, 1, row.status};
  }
}

std::map<Uuid, std::vector<JobId>> Schedules::living(const std::vector<Fire>& fires) {
  std::map<Uuid, std::vector<JobId>> all;
  ArrayLiteral tasks;
  for (const Fire& fire : fires)
    if (asks_for_living(*fire.op)) tasks.add(fire.op->task.text());
  if (tasks.empty()) return all;
  const Rows rows = session_.db.run(living_jobs, tasks);
  for (const Row row : rows)
    if (const auto task = Uuid::parse(row.text(0))) all[*task].push_back(row.uuid(1));
  return all;
}

// Those with a run under a delete, that nobody has seen down.
std::set<Uuid> Schedules::running_on(const std::vector<Fire>& fires) {
  std::set<Uuid> all;
  ArrayLiteral tasks;
  for (const Fire& fire : fires)
    if (asks_for_leaving(*fire.op)) tasks.add(fire.op->task.text());
  if (tasks.empty()) return all;
  const Rows rows = session_.db.run(leaving_runs, tasks);
  for (const Row row : rows)
    if (const auto task = Uuid::parse(row.text(0))) all.insert(*task);
  return all;
}

// Of one schedule twice in a batch the second sees what the first did.
std::vector<FireResult> Schedules::apply(const std::vector<FireOp>& ops) {
  std::vector<FireResult> results(ops.size());
  std::vector<Fire> round;
  std::set<Uuid> tasks;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (!tasks.insert(ops[i].task).second) {
      fire(round);
      round.clear();
      tasks = {ops[i].task};
    }
    round.push_back({&ops[i], &results[i]});
  }
  fire(round);
  return results;
}

void Schedules::fire(const std::vector<Fire>& all) {
  if (all.empty()) return;
  std::vector<Uuid> tasks;
  for (const Fire& one : all) tasks.push_back(one.op->task);
  const std::map<Uuid, Head> heads = lock(tasks);
  std::vector<Fire> fires;
  for (const Fire& one : all) {
    const FireOp& op = *one.op;
    const auto head = heads.find(op.task);
    if (head == heads.end()) continue;
    const Head& row = head->second;
    const bool is_as_read = op.by_hand ? !is_leaving(row.status)
                                       : row.status == ScheduleStatus::active &&
                                             row.version == op.version && row.next == op.if_next &&
                                             row.waiting == op.if_waiting;
    if (is_as_read && op.by_hand && is_changed(op.if_version, row.version)) {
      one.result->answer = FireAnswer::changed;
      one.result->version = row.version;
      continue;
    }
    if (is_as_read) fires.push_back(one);
  }
  if (fires.empty()) return;
  const auto lives = living(fires);
  const auto leaving = running_on(fires);
  std::vector<EnqueueOp> births;
  std::vector<std::pair<Fire*, const FireJob*>> whose;
  for (Fire& one : fires) {
    const FireBirths born =
        births_of_fire(*one.op, lives.contains(one.op->task) || leaving.contains(one.op->task));
    one.waits = born.waits;
    one.result->overlaps = born.overlaps;
    one.result->waits = born.waits.has_value();
    for (const FireJob* job : born.now) {
      births.push_back({job->job, one.op->now, JobEvent::fire, job->deliveries});
      whose.emplace_back(&one, job);
    }
  }
  const std::vector<EnqueueResult> stored = enqueue_.apply(births);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto [one, job] = whose[i];
    FireResult& result = *one->result;
    if (stored[i].answer == EnqueueAnswer::unique_conflict) {
      ++result.overlaps;
      result.existing = stored[i].existing;
      result.existing_state = stored[i].existing_state;
    }
    if (stored[i].answer != EnqueueAnswer::stored) continue;
    result.born.push_back(job->job.id);
    result.queues.push_back(job->job.queue);
    if (!one->op->by_hand) one->last = job->due;
  }
  cancel_old(fires, lives);
  write(fires);
  for (const Fire& one : fires) {
    one.result->answer = one.result->born.empty() ? FireAnswer::held_back : FireAnswer::fired;
    if (one.result->born.empty()) continue;
    say(one.op->audit);
    tell(one, heads.at(one.op->task));
  }
}

// The verbs before this one have moved jobs behind the working set's back: it looks anew at these.
// Not at all: a birth that comes after asks what has become of its sender.
void Schedules::cancel_old(const std::vector<Fire>& fires,
                           const std::map<Uuid, std::vector<JobId>>& lives) {
  WorkingSet::Wanted wanted;
  for (const Fire& one : fires)
    if (cancels_the_old(*one.op) && !one.result->born.empty() && lives.contains(one.op->task))
      for (const JobId& old : lives.at(one.op->task)) wanted.jobs.push_back(old);
  if (wanted.jobs.empty()) return;
  wanted.urls = wanted.jobs;
  rows_.settle();
  rows_.forget(wanted.jobs);
  rows_.load(std::move(wanted));
  for (const Fire& one : fires)
    if (cancels_the_old(*one.op) && !one.result->born.empty() && lives.contains(one.op->task))
      for (const JobId& old : lives.at(one.op->task))
        one.result->cancelled.emplace_back(old, steer_.apply(cancel_by_fire(*one.op, old)));
  rows_.settle();
}

void Schedules::write(const std::vector<Fire>& fires) {
  ArrayLiteral id, next, wake, waiting, missed, fired, overlaps, last, last_job, hand;
  for (const Fire& one : fires) {
    const FireResult& result = *one.result;
    id.add(one.op->task);
    next.add(one.op->next);
    wake.add(wake_after(*one.op, result.waits));
    waiting.add(one.waits);
    missed.add(one.op->by_hand ? 0 : one.op->missed);
    fired.add(static_cast<std::int64_t>(result.born.size()));
    overlaps.add(result.overlaps);
    last.add(one.last);
    last_job.add(result.born.empty() ? std::nullopt : std::optional(result.born.back()));
    hand.add(one.op->by_hand ? 1 : 0);
  }
  session_.db.write(write_fires, id, next, wake, waiting, missed, fired, overlaps, last, last_job,
                    hand);
}

void Schedules::tell(const Fire& fire, const Head& head) {
  const FireOp& op = *fire.op;
  const std::string body = task_fired_body(
      op.now,
      {.task = op.task, .project = head.project, .name = head.name, .jobs = fire.result->born});
  const auto news = session_.outbox.of_task(head.project, task_fired_event, op.task, body, op.now);
  if (!news.empty()) deliveries_.add(news);
}

void Schedules::order_by(const TaskMessage& message, const std::string& project) {
  session_.db.write(publish, message.task, project, message.requested_at, message.request_id,
                    shown_text(message.who), shown_text(message.reason),
                    static_cast<int>(message.jobs), message.next_try, std::string());
}

// What the order that stands now does to the jobs; nothing when none was there.
std::optional<JobsOfTask> Schedules::join(TaskMessage message, const Head& head) {
  const Rows rows = session_.db.run(ordered, message.task);
  if (rows.empty()) return std::nullopt;
  const auto known = static_cast<JobsOfTask>(rows[0].number(0));
  if (!is_stronger(message.jobs, known)) return known;
  message.requested_at = rows[0].instant(1);
  order_by(message, head.project);
  return message.jobs;
}

TaskDeleteResult Schedules::apply(const TaskDeleteOp& op) {
  const Uuid& task = op.message.task;
  const auto head = lock(task);
  if (!head || is_other_project(op.message.project, head->project)) return {};
  if (head->status == ScheduleStatus::pending_delete)
    if (const auto stands = join(op.message, *head)) {
      say(op.audit);
      return {TaskDeleteAnswer::joined, head->project, head->name, 0, *stands};
    }
  if (is_changed(op.if_version, head->version))
    return {TaskDeleteAnswer::changed, head->project, head->name, head->version};
  session_.db.write(stop_firing, task, op.now);
  order_by(op.message, head->project);
  say(op.audit);
  return {TaskDeleteAnswer::scheduled, head->project, head->name, 0, op.message.jobs};
}

// The schedule's row is locked first, by everybody.
bool Schedules::apply(const TaskWordOp& op) {
  const TaskMessage& message = op.message;
  const auto head = lock(message.task);
  if (!head) return false;
  switch (op.word) {
    case TaskWord::again:
      if (!is_leaving(head->status)) return false;
      session_.db.write(stop_firing, message.task, op.now);
      if (session_.db.run(try_again, message.task, message.next_try).touched() == 0)
        order_by(message, head->project);
      return true;
    case TaskWord::lease:
      return session_.db
                 .run(lease, message.task, message.request_id, message.next_try, op.if_next_try)
                 .touched() == 1;
    case TaskWord::retry:
      return session_.db
                 .run(retry, message.task, message.request_id, message.next_try,
                      shown_text(message.error))
                 .touched() == 1;
    case TaskWord::give_up:
      break;
  }
  if (session_.db.run(park, message.task, message.request_id, put_aside, shown_text(message.error))
          .touched() == 0)
    return false;
  session_.db.write(fail, message.task, shown_text(message.error), op.now);
  return true;
}

bool Schedules::apply(const TaskEraseOp& op) {
  const auto head = lock(op.task);
  if (!head || head->status != ScheduleStatus::pending_delete) return false;
  const Rows message = session_.db.run(acknowledge, op.task, op.request_id);
  if (message.empty()) return false;
  const std::string who = message[0].text(0);
  session_.db.write(remove_schedule, op.task);
  const std::string body = task_deleted_body(op.now, {.task = op.task,
                                                      .project = head->project,
                                                      .name = head->name,
                                                      .who = who,
                                                      .request = op.request_id});
  const auto news =
      session_.outbox.of_task(head->project, task_deleted_event, op.task, body, op.now);
  if (!news.empty()) deliveries_.add(news);
  session_.audit.say({op.now, who, std::string(task_deleted_event), op.task.text(), op.detail});
  return true;
}

}  // namespace quell::storage::postgres
