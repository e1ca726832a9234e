#include "storage/postgres/reads/schedule_reads.hpp"

namespace quell::storage::postgres {

namespace {

#define SCHEDULE_COLUMNS                                                                 \
  "SELECT id, project, grp, name, status, version, terms, created, changed, next, wake," \
  " waiting, last, last_job, fired, missed, overlapped, error FROM schedule WHERE "
#define MESSAGE_COLUMNS                                                              \
  "SELECT task, project, requested, request, who, why, jobs, tries, next_try, error" \
  " FROM task_message WHERE "

constexpr Query one{"schedule_one", SCHEDULE_COLUMNS "id = $1::uuid"};
constexpr Query listed{"schedule_list", SCHEDULE_COLUMNS
                       "($1::text = '' OR project = $1::text) AND ($2::text = '' OR grp = $2::text)"
                       " AND ($3::int IS NULL OR status = $3::int)"
                       " AND ($4::uuid IS NULL OR id > $4::uuid) ORDER BY id LIMIT $5::int"};
constexpr Query due{"schedule_due", SCHEDULE_COLUMNS
                    "wake IS NOT NULL AND wake <= $1::bigint ORDER BY wake, id LIMIT $2::int"};
constexpr Query leaving{"schedule_leaving", SCHEDULE_COLUMNS
                        "status > 1 AND CASE status WHEN 3 THEN changed ELSE coalesce((SELECT"
                        " m.next_try FROM task_message m WHERE m.task = schedule.id), changed) END"
                        " < $1::bigint ORDER BY id LIMIT $2::int"};
constexpr Query next_wake{"schedule_next", "SELECT min(wake) FROM schedule WHERE wake IS NOT NULL"};
constexpr Query message{"task_message", MESSAGE_COLUMNS "task = $1::uuid"};
constexpr Query messages{"task_messages", MESSAGE_COLUMNS
                         "next_try <= $1::bigint ORDER BY next_try, task LIMIT $2::int"};

#undef SCHEDULE_COLUMNS
#undef MESSAGE_COLUMNS

ScheduleRow schedule_of(const Row& row) {
  ScheduleRow found;
  found.id = row.uuid(0);
  found.project = row.text(1);
  found.group = row.text(2);
  found.name = row.text(3);
  found.status = static_cast<ScheduleStatus>(row.number(4));
  found.version = row.big(5);
  found.terms = row.bytes(6);
  found.created = row.instant(7);
  found.changed = row.instant(8);
  found.next = row.maybe_instant(9);
  found.wake = row.maybe_instant(10);
  found.waiting = row.maybe_instant(11);
  found.last = row.maybe_instant(12);
  found.last_job = row.maybe_uuid(13);
  found.fired = row.big(14);
  found.missed = row.big(15);
  found.overlaps = row.big(16);
  found.error = row.text(17);
  return found;
}

TaskMessage message_of(const Row& row) {
  TaskMessage found;
  found.task = row.uuid(0);
  found.project = row.text(1);
  found.requested_at = row.instant(2);
  found.request_id = row.text(3);
  found.who = row.text(4);
  found.reason = row.text(5);
  found.jobs = static_cast<JobsOfTask>(row.number(6));
  found.tries = row.number(7);
  found.next_try = row.instant(8);
  found.error = row.text(9);
  return found;
}

std::vector<ScheduleRow> schedules_in(const Rows& rows) {
  std::vector<ScheduleRow> all;
  for (const Row row : rows) all.push_back(schedule_of(row));
  return all;
}

}  // namespace

std::optional<ScheduleRow> read_schedule(Connection& db, Uuid id) {
  const Rows rows = db.run(one, id);
  return rows.empty() ? std::nullopt : std::optional(schedule_of(rows[0]));
}

std::vector<ScheduleRow> read_schedules(Connection& db, const ScheduleQuery& query) {
  if (query.due_by) return schedules_in(db.run(due, *query.due_by, query.limit));
  if (query.leaving_since) return schedules_in(db.run(leaving, *query.leaving_since, query.limit));
  std::optional<int> status;
  if (query.status) status = static_cast<int>(*query.status);
  return schedules_in(db.run(listed, query.project, query.group, status, query.after, query.limit));
}

std::optional<Instant> read_next_wake(Connection& db) {
  return db.run(next_wake)[0].maybe_instant(0);
}

std::vector<TaskMessage> read_task_messages(Connection& db, std::optional<Uuid> only,
                                            Instant due_by, int limit) {
  const Rows rows = only ? db.run(message, *only) : db.run(messages, due_by, limit);
  std::vector<TaskMessage> all;
  for (const Row row : rows) all.push_back(message_of(row));
  return all;
}

}  // namespace quell::storage::postgres
