#include "storage/postgres/reads/job_views.hpp"

#include "storage/postgres/working_set/by_key.hpp"

namespace quell::storage::postgres {

namespace {

// A job is in exactly one of the two tables, at any moment that one statement can see.
#define COLUMNS                                                                                  \
  "SELECT j.id, j.project, j.queue, j.kind, j.prio, j.state, j.epoch, j.attempt, j.lost, j.due," \
  " j.started, j.finished, j.expires, g.progress, g.phase, g.usage, r.error, p.meta, p.ukey,"    \
  " j.node, j.want, j.delete_id, r.until, j.ran_on"
#define TABLES                                                                                    \
  " FROM unnest($1::uuid[]) f(id) CROSS JOIN LATERAL ("                                           \
  "SELECT job AS id, project, queue, kind, 9 - pk AS prio, place AS state, epoch, attempt, lost," \
  " due, since AS started, NULL::bigint AS finished, NULL::bigint AS expires, node, want,"        \
  " NULL::uuid AS delete_id, NULL::uuid AS ran_on FROM live WHERE live.job = f.id UNION ALL"      \
  " SELECT id, project, queue, kind, prio, state + 2, epoch, attempt, lost, NULL, started,"       \
  " finished, expires, NULL, NULL, delete_id, node FROM job WHERE job.id = f.id OFFSET 0) "       \
  "j" QUELL_BY_KEY("payload", "job = j.id", "p") QUELL_BY_KEY("result", "job = j.id", "r")        \
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
  view.state = static_cast<JobState>(row.number(5));
  const bool runs = view.state == JobState::running;
  view.epoch = row.number(6);
  view.attempt = row.number(7) + (runs ? 1 : 0);
  view.lost = row.number(8);
  view.due = row.maybe_instant(9);
  view.started = row.maybe_instant(10);
  view.finished = row.maybe_instant(11);
  view.expires = row.maybe_instant(12);
  view.result_expires = row.maybe_instant(22);
  if (!row.is_null(13)) view.progress = row.real(13);
  view.phase = row.bytes(14);
  view.usage = row.bytes(15);
  view.error = row.bytes(16);
  view.options = options_from_json(row.text(17));
  view.unique_key = row.maybe_bytes(18);
  if (runs) view.node = row.maybe_uuid(19);
  view.cancel_requested = runs && row.number(20) == 1;
  if (is_leaving(view.state)) view.delete_id = row.maybe_uuid(21);
  view.ran_on = row.maybe_uuid(23);
  if (with_payload) {
    view.args = row.bytes(24);
    view.result = row.bytes(25);
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
