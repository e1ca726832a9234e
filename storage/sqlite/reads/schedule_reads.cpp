#include "storage/sqlite/reads/schedule_reads.hpp"

namespace quell::storage::sqlite {

namespace {

const std::string columns =
    "SELECT id, project, grp, name, status, version, terms, created, changed, next, wake, waiting,"
    " last, last_job, fired, missed, overlapped, error FROM schedule WHERE ";
const std::string message_columns =
    "SELECT task, project, requested, request, who, why, jobs, tries, next_try, error"
    " FROM task_message WHERE ";

ScheduleRow schedule_of(const Rows& row) {
  ScheduleRow one;
  one.id = row.uuid(0);
  one.project = row.text(1);
  one.group = row.text(2);
  one.name = row.text(3);
  one.status = static_cast<ScheduleStatus>(row.number(4));
  one.version = row.big(5);
  one.terms = row.text(6);
  one.created = row.instant(7);
  one.changed = row.instant(8);
  one.next = row.maybe_instant(9);
  one.wake = row.maybe_instant(10);
  one.waiting = row.maybe_instant(11);
  one.last = row.maybe_instant(12);
  one.last_job = row.maybe_uuid(13);
  one.fired = row.big(14);
  one.missed = row.big(15);
  one.overlaps = row.big(16);
  one.error = row.text(17);
  return one;
}

TaskMessage message_of(const Rows& row) {
  TaskMessage one;
  one.task = row.uuid(0);
  one.project = row.text(1);
  one.requested_at = row.instant(2);
  one.request_id = row.text(3);
  one.who = row.text(4);
  one.reason = row.text(5);
  one.jobs = static_cast<JobsOfTask>(row.number(6));
  one.tries = row.number(7);
  one.next_try = row.instant(8);
  one.error = row.text(9);
  return one;
}

}  // namespace

ScheduleReads::ScheduleReads(Connection& db)
    : one_(db, columns + "id = ?"),
      listed_(db, columns +
                      "(?1 = '' OR project = ?1) AND (?2 = '' OR grp = ?2)"
                      " AND (?3 IS NULL OR status = ?3) AND id > coalesce(?4, x'')"
                      " ORDER BY id LIMIT ?5"),
      due_(db, columns + "status = 0 AND wake IS NOT NULL AND wake <= ? ORDER BY wake, id LIMIT ?"),
      leaving_(db,
               columns +
                   "status > 1 AND CASE status WHEN 3 THEN changed ELSE coalesce((SELECT m.next_try"
                   " FROM task_message m WHERE m.task = schedule.id), changed) END < ?"
                   " ORDER BY id LIMIT ?"),
      next_wake_(db, "SELECT min(wake) FROM schedule WHERE wake IS NOT NULL"),
      message_(db, message_columns + "task = ?"),
      messages_(db, message_columns + "next_try <= ? ORDER BY next_try, task LIMIT ?") {}

std::optional<ScheduleRow> ScheduleReads::schedule(Uuid id) {
  Rows row = one_.rows(id);
  return row.next() ? std::optional(schedule_of(row)) : std::nullopt;
}

std::vector<ScheduleRow> ScheduleReads::schedules(const ScheduleQuery& query) {
  std::vector<ScheduleRow> page;
  const auto read = [&page](Rows row) {
    while (row.next()) page.push_back(schedule_of(row));
  };
  std::optional<int> status;
  if (query.status) status = static_cast<int>(*query.status);
  if (query.due_by)
    read(due_.rows(*query.due_by, query.limit));
  else if (query.leaving_since)
    read(leaving_.rows(*query.leaving_since, query.limit));
  else
    read(listed_.rows(query.project, query.group, status, query.after, query.limit));
  return page;
}

std::optional<Instant> ScheduleReads::next_wake() {
  Rows row = next_wake_.rows();
  return row.next() ? row.maybe_instant(0) : std::nullopt;
}

std::vector<TaskMessage> ScheduleReads::messages(std::optional<Uuid> only, Instant due_by,
                                                 int limit) {
  std::vector<TaskMessage> page;
  for (Rows row = only ? message_.rows(*only) : messages_.rows(due_by, limit); row.next();)
    page.push_back(message_of(row));
  return page;
}

}  // namespace quell::storage::sqlite
