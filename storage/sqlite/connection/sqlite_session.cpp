#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

SqliteSession::SqliteSession(Connection& connection)
    : db(connection),
      tally(connection),
      audit(connection),
      look_(db,
            "SELECT j.state, l.place, coalesce(l.epoch, j.epoch), j.project, j.queue, j.has,"
            " coalesce(l.attempt, j.attempt), coalesce(l.lost, j.lost), j.delete_id,"
            " l.node, l.life, l.want, l.ukey, coalesce(l.since, j.started), l.due"
            " FROM job j LEFT JOIN live l ON l.job = j.id WHERE j.id = ?"),
      tombstone_(db, "SELECT delete_id, epoch, at, prior FROM tomb WHERE id = ?"),
      dead_(db, "SELECT 1 FROM node WHERE id = ? AND (life > ? OR (gone = 1 AND life = ?))"),
      delivery_(db,
                "INSERT INTO delivery (id, job, endpoint, event, body, due, tries, place, log)"
                " VALUES (?, ?, ?, ?, ?, ?, 0, 0, '')"),
      options_(db, "SELECT meta FROM payload WHERE job = ?") {}

std::optional<JobHead> SqliteSession::look(JobId job) {
  Rows row = look_.rows(job);
  if (!row.next()) return std::nullopt;
  JobHead head;
  head.state = shown(row.number(0), row.number(1));
  head.epoch = row.number(2);
  head.project = row.text(3);
  head.queue = row.text(4);
  head.has = row.number(5);
  head.attempt = row.number(6);
  head.lost = row.number(7);
  head.delete_id = row.maybe_uuid(8);
  if (head.state == JobState::running) head.owner = NodeLife{row.uuid(9), row.big(10)};
  head.cancel_requested = row.number(11) == 1;
  if (!row.is_null(12)) head.unique_key = row.text(12);
  head.started = row.maybe_instant(13);
  head.due = row.maybe_instant(14);
  return head;
}

std::optional<TombstoneRow> SqliteSession::tombstone(JobId job) {
  Rows row = tombstone_.rows(job);
  if (!row.next()) return std::nullopt;
  return TombstoneRow{row.uuid(0), row.number(1), row.instant(2),
                      static_cast<JobState>(row.number(3))};
}

bool SqliteSession::may_claim(const NodeLife& owner) {
  Rows row = dead_.rows(owner.node, owner.life, owner.life);
  return !row.next();
}

void SqliteSession::insert_deliveries(JobId job, const std::vector<NewDelivery>& deliveries) {
  for (const NewDelivery& one : deliveries)
    delivery_.run(one.id, job, one.endpoint, one.event, one.body, one.due);
}

int SqliteSession::tell(JobId job, const JobHead& head, std::string_view event, JobState state,
                        Instant at, std::string_view reason) {
  if (!outbox.anyone()) return 0;
  bool has_own_url = false;
  if (head.has & has_payload)
    if (Rows row = options_.rows(job); row.next())
      has_own_url = !options_from_json(row.text(0)).webhook.empty();
  const auto all =
      outbox.of_job({job, to_string(state), head.project, {}, reason}, event, has_own_url, at);
  insert_deliveries(job, all);
  return all.empty() ? 0 : has_deliveries;
}

}  // namespace quell::storage::sqlite
