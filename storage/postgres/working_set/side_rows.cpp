#include "storage/postgres/working_set/side_rows.hpp"

#include <algorithm>

#include "storage/postgres/connection/codes.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query put_results{
    "result_put",
    "INSERT INTO result (job, body, error, until) SELECT * FROM unnest($1::uuid[], $2::bytea[],"
    " $3::bytea[], $4::bigint[]) ON CONFLICT (job) DO UPDATE SET body = excluded.body,"
    " error = excluded.error, until = excluded.until"};
constexpr Query drop_results{"result_drop", "DELETE FROM result WHERE job = ANY($1::uuid[])"};
constexpr Query put_lost{
    "result_lost",
    "INSERT INTO result (job, body, error)"
    " SELECT job, '', convert_to('{\"code\":\"lost_too_often\"}', 'UTF8')"
    " FROM unnest($1::uuid[]) f(job) ON CONFLICT (job) DO UPDATE SET error = excluded.error"};
constexpr Query put_progress{
    "progress_put",
    "INSERT INTO progress (job, progress, phase, usage) SELECT * FROM unnest($1::uuid[],"
    " $2::float8[], $3::bytea[], $4::bytea[]) ON CONFLICT (job) DO UPDATE SET"
    " progress = coalesce(excluded.progress, progress.progress),"
    " phase = coalesce(excluded.phase, progress.phase),"
    " usage = coalesce(excluded.usage, progress.usage)"};
constexpr Query put_attempts{
    "attempt_put",
    "INSERT INTO attempt (job, n, started, ended, outcome, error, node) SELECT * FROM"
    " unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[],"
    " $7::text[]) ON CONFLICT (job, n) DO UPDATE SET started = excluded.started,"
    " ended = excluded.ended, outcome = excluded.outcome, error = excluded.error,"
    " node = excluded.node"};
constexpr Query add_partials{
    "partial_add",
    "INSERT INTO partial (job, n, body) SELECT f.job, f.k + coalesce((SELECT max(n) FROM partial p"
    " WHERE p.job = f.job), 0), f.body FROM unnest($1::uuid[], $2::int[], $3::bytea[])"
    " f(job, k, body)"};
constexpr Query add_logs{
    "log_add",
    "INSERT INTO log (job, n, at, level, body) SELECT f.job, f.k + coalesce((SELECT max(n) FROM"
    " log l WHERE l.job = f.job), 0), f.at, f.level, f.body FROM unnest($1::uuid[], $2::int[],"
    " $3::bigint[], $4::text[], $5::bytea[]) f(job, k, at, level, body)"};
constexpr Query put_steps{
    "step_put",
    "INSERT INTO step (job, n, name, body) SELECT f.job, f.k + coalesce((SELECT max(n) FROM step s"
    " WHERE s.job = f.job), 0), f.name, f.body FROM unnest($1::uuid[], $2::int[], $3::text[],"
    " $4::bytea[]) f(job, k, name, body)"
    " ON CONFLICT (job, name) DO UPDATE SET body = excluded.body"};
constexpr Query add_deliveries{
    "delivery_add",
    "INSERT INTO delivery (id, job, endpoint, event, body, due, tries, place, log)"
    " SELECT id, job, endpoint, event, body, due, 0, 0, '' FROM unnest($1::uuid[], $2::uuid[],"
    " $3::text[], $4::text[], $5::bytea[], $6::bigint[]) f(id, job, endpoint, event, body, due)"};

constexpr Query add_doubts{
    "doubt_add",
    "INSERT INTO doubt (job, what, ref, node, life) SELECT * FROM unnest($1::uuid[],"
    " $2::smallint[], $3::uuid[], $4::uuid[], $5::bigint[]) ON CONFLICT DO NOTHING"};

ArrayLiteral array_of(const std::vector<JobId>& jobs) {
  ArrayLiteral ids;
  for (const JobId& job : jobs) ids.add(job);
  return ids;
}

std::optional<Bytes> bytes_of(const std::optional<std::string>& text) {
  return text ? std::optional(Bytes{*text}) : std::nullopt;
}

}  // namespace

int SideRows::result(JobId job, const std::string& body, const std::string& error,
                     std::optional<Instant> until) {
  rows_.results.push_back({job, {body, error, until}});
  return has_result;
}

int SideRows::lost_too_often(JobId job) {
  rows_.lost.push_back(job);
  return has_result;
}

int SideRows::usage(JobId job, const std::string& usage) {
  return progress(job, std::nullopt, std::nullopt, usage);
}

int SideRows::progress(JobId job, const std::optional<double>& progress,
                       const std::optional<std::string>& phase,
                       const std::optional<std::string>& usage) {
  Progress& row = rows_.progress[job];
  if (progress) row.progress = progress;
  if (phase) row.phase = phase;
  if (usage) row.usage = usage;
  return has_progress;
}

int SideRows::attempt(JobId job, const AttemptRecord& record) {
  rows_.attempts.emplace_back(job, record);
  return has_attempts;
}

int SideRows::partials(JobId job, const std::vector<std::string>& texts) {
  auto& rows = rows_.partials[job];
  rows.insert(rows.end(), texts.begin(), texts.end());
  return has_partials;
}

int SideRows::logs(JobId job, const std::vector<LogLine>& lines) {
  auto& rows = rows_.logs[job];
  rows.insert(rows.end(), lines.begin(), lines.end());
  return has_logs;
}

int SideRows::steps(JobId job, const std::vector<StepResult>& results) {
  auto& rows = rows_.steps[job];
  for (const StepResult& step : results) {
    const auto same = std::find_if(rows.begin(), rows.end(),
                                   [&](const StepResult& row) { return row.name == step.name; });
    if (same == rows.end())
      rows.push_back(step);
    else
      same->result = step.result;
  }
  return has_steps;
}

int SideRows::deliveries(JobId job, const std::vector<NewDelivery>& deliveries) {
  for (const NewDelivery& one : deliveries) rows_.deliveries.emplace_back(job, one);
  return has_deliveries;
}

int SideRows::doubt(JobId job, const Holder& lost) {
  rows_.doubts.emplace_back(job, lost);
  return has_doubts;
}

void SideRows::write() {
  write_results();
  write_progress();
  write_attempts();
  write_partials();
  write_logs();
  write_steps();
  write_deliveries();
  write_doubts();
  rows_ = {};
}

void SideRows::write_results() {
  if (!rows_.results.empty()) {
    ArrayLiteral job, body, error, until;
    for (const auto& [id, row] : rows_.results) {
      job.add(id);
      body.add(Bytes{row.body});
      error.add(Bytes{row.error});
      until.add(row.until);
    }
    db_.write(put_results, job, body, error, until);
  }
  if (!rows_.no_results.empty()) db_.write(drop_results, array_of(rows_.no_results));
  if (!rows_.lost.empty()) db_.write(put_lost, array_of(rows_.lost));
}

void SideRows::write_progress() {
  if (rows_.progress.empty()) return;
  ArrayLiteral job, progress, phase, usage;
  for (const auto& [id, row] : rows_.progress) {
    job.add(id);
    progress.add(row.progress);
    phase.add(bytes_of(row.phase));
    usage.add(bytes_of(row.usage));
  }
  db_.write(put_progress, job, progress, phase, usage);
}

void SideRows::write_attempts() {
  if (rows_.attempts.empty()) return;
  ArrayLiteral job, n, started, ended, outcome, error, node;
  for (const auto& [id, row] : rows_.attempts) {
    job.add(id);
    n.add(row.n);
    started.add(row.started);
    ended.add(row.ended);
    outcome.add(shown_text(row.outcome));
    error.add(Bytes{row.error});
    node.add(shown_text(row.node));
  }
  db_.write(put_attempts, job, n, started, ended, outcome, error, node);
}

void SideRows::write_partials() {
  if (rows_.partials.empty()) return;
  ArrayLiteral job, k, body;
  for (const auto& [id, texts] : rows_.partials) {
    int at = 0;
    for (const std::string& text : texts) {
      job.add(id);
      k.add(++at);
      body.add(Bytes{text});
    }
  }
  db_.write(add_partials, job, k, body);
}

void SideRows::write_logs() {
  if (rows_.logs.empty()) return;
  ArrayLiteral job, k, at, level, body;
  for (const auto& [id, lines] : rows_.logs) {
    int place = 0;
    for (const LogLine& line : lines) {
      job.add(id);
      k.add(++place);
      at.add(line.at);
      level.add(shown_text(line.level));
      body.add(Bytes{line.text});
    }
  }
  db_.write(add_logs, job, k, at, level, body);
}

void SideRows::write_steps() {
  if (rows_.steps.empty()) return;
  ArrayLiteral job, k, name, body;
  for (const auto& [id, steps] : rows_.steps) {
    int at = 0;
    for (const StepResult& step : steps) {
      job.add(id);
      k.add(++at);
      name.add(step.name);
      body.add(Bytes{step.result});
    }
  }
  db_.write(put_steps, job, k, name, body);
}

void SideRows::write_deliveries() {
  if (rows_.deliveries.empty()) return;
  ArrayLiteral id, job, endpoint, event, body, due;
  for (const auto& [owner, row] : rows_.deliveries) {
    id.add(row.id);
    job.add(owner);
    endpoint.add(row.endpoint);
    event.add(row.event);
    body.add(Bytes{row.body});
    due.add(row.due);
  }
  db_.write(add_deliveries, id, job, endpoint, event, body, due);
}

void SideRows::write_doubts() {
  if (rows_.doubts.empty()) return;
  ArrayLiteral job, what, ref, node, life;
  for (const auto& [id, lost] : rows_.doubts) {
    job.add(id);
    what.add(static_cast<int>(lost.what));
    ref.add(lost.ref);
    node.add(lost.owner.node);
    life.add(lost.owner.life);
  }
  db_.write(add_doubts, job, what, ref, node, life);
}

}  // namespace quell::storage::postgres
