#include "storage/postgres/job_views.hpp"

#include "storage/postgres/by_key.hpp"
#include "storage/postgres/codes.hpp"

namespace quell::storage::postgres {

namespace {

#define COLUMNS                                                                                \
  "SELECT j.id, j.project, j.queue, j.kind, j.prio, j.state, l.place,"                         \
  " coalesce(l.epoch, j.epoch), coalesce(l.attempt, j.attempt), coalesce(l.lost, j.lost),"     \
  " l.due, coalesce(l.since, j.started), j.finished, j.expires, g.progress, g.phase, g.usage," \
  " r.error, p.meta, p.ukey, l.node, l.want, j.delete_id"
#define TABLES                                                                               \
  " FROM unnest($1::uuid[]) f(id) CROSS JOIN LATERAL (SELECT * FROM job WHERE job.id = f.id" \
  " OFFSET 0) j" QUELL_BY_KEY("live", "job = j.id", "l")                                     \
      QUELL_BY_KEY("payload", "job = j.id", "p") QUELL_BY_KEY("result", "job = j.id", "r")   \
          QUELL_BY_KEY("progress", "job = j.id", "g")

constexpr Query lean{"views_lean", COLUMNS TABLES};
constexpr Query full{"views_full", COLUMNS ", p.args, r.body" TABLES};

#undef COLUMNS
#undef TABLES

JobView view_of(const Row& row, bool with_payload) {
  JobView view;
  view.id = row.uuid(0);
  view.project = row.text(1);
  view.queue = row.text(2);
  view.kind = row.text(3);
  view.priority = row.number(4);
  view.state = shown(row.number(5), row.number(6));
  const bool runs = view.state == JobState::running;
  view.epoch = row.number(7);
  view.attempt = row.number(8) + (runs ? 1 : 0);
  view.lost = row.number(9);
  view.due = row.maybe_instant(10);
  view.started = row.maybe_instant(11);
  view.finished = row.maybe_instant(12);
  view.expires = row.maybe_instant(13);
  if (!row.is_null(14)) view.progress = row.real(14);
  view.phase = row.bytes(15);
  view.usage = row.bytes(16);
  view.error = row.bytes(17);
  view.options = options_from_json(row.text(18));
  view.unique_key = row.maybe_bytes(19);
  if (runs) view.node = row.maybe_uuid(20);
  view.cancel_wished = runs && row.number(21) == 1;
  if (is_leaving(view.state)) view.delete_id = row.maybe_uuid(22);
  if (with_payload) {
    view.args = row.bytes(23);
    view.result = row.bytes(24);
  }
  return view;
}

}  // namespace

std::unordered_map<JobId, JobView> read_views(Connection& db, const std::vector<JobId>& jobs,
                                              bool with_payload) {
  std::unordered_map<JobId, JobView> views;
  if (jobs.empty()) return views;
  ArrayLiteral ids;
  for (const JobId& job : jobs) ids.add(job);
  const Rows rows = db.run(with_payload ? full : lean, ids);
  for (const Row row : rows) views.insert_or_assign(row.uuid(0), view_of(row, with_payload));
  return views;
}

}  // namespace quell::storage::postgres
