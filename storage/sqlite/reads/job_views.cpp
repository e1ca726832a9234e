#include "storage/sqlite/reads/job_views.hpp"

#include "storage/sqlite/connection/codes.hpp"

namespace quell::storage::sqlite {

namespace {

std::string select(const char* payload) {
  return std::string(
             "SELECT j.project, j.queue, j.kind, j.prio, j.state, l.place,"
             " coalesce(l.epoch, j.epoch), coalesce(l.attempt, j.attempt),"
             " coalesce(l.lost, j.lost), l.due, coalesce(l.since, j.started), j.finished,"
             " j.expires, g.progress, g.phase, g.usage, r.error, p.meta, p.ukey, l.node, l.want,"
             " j.delete_id, r.until, j.node") +
         payload +
         " FROM job j LEFT JOIN live l ON l.job = j.id LEFT JOIN payload p ON p.job = j.id"
         " LEFT JOIN result r ON r.job = j.id LEFT JOIN progress g ON g.job = j.id WHERE j.id = ?";
}

}  // namespace

JobViews::JobViews(Connection& db) : lean_(db, select("")), full_(db, select(", p.args, r.body")) {}

std::optional<JobView> JobViews::find(JobId job, bool with_payload) {
  Rows row = (with_payload ? full_ : lean_).rows(job);
  if (!row.next()) return std::nullopt;
  JobView view;
  view.id = job;
  view.project = row.text(0);
  view.queue = row.text(1);
  view.kind = row.text(2);
  view.priority = row.number(3);
  view.state = shown(row.number(4), row.number(5));
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
  view.phase = row.text(14);
  view.usage = row.text(15);
  view.error = row.text(16);
  view.options = options_from_json(row.text(17));
  if (!row.is_null(18)) view.unique_key = row.text(18);
  if (runs) view.node = row.maybe_uuid(19);
  view.cancel_requested = runs && row.number(20) == 1;
  if (is_leaving(view.state)) view.delete_id = row.maybe_uuid(21);
  if (view.state > JobState::running) view.ran_on = row.maybe_uuid(23);
  if (with_payload) {
    view.args = row.text(24);
    view.result = row.text(25);
  }
  return view;
}

}  // namespace quell::storage::sqlite
