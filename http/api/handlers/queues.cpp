// Queues: what waits in them; pause and resume (starting), close and open (taking), drain, limits.
#include <map>

#include "http/api/api_server.hpp"
#include "http/api/doc_version.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/job_request.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/name.hpp"

namespace quell::http::handlers {

namespace {

struct QueueRow {
  QueueView view;
  std::map<JobState, std::int64_t> jobs;
  std::optional<Instant> oldest = {};  // of those that wait for a slot, whatever their project
};
using QueueRows = std::map<std::string, QueueRow>;

// What the node knows, and every queue that has jobs.
QueueRows gather(Node& node, const std::vector<storage::CountRow>& counts) {
  QueueRows rows;
  for (const QueueView& view : node.queues()) rows[view.name].view = view;
  for (const storage::CountRow& count : counts) rows[count.queue].jobs[count.state] += count.n;
  for (auto& [name, row] : rows) {
    row.view.name = name;
    if (row.view.pool.empty()) row.view.pool = "default";
  }
  return rows;
}

// Since when the first of a queue waits. A token of one project is not told what others wait for.
Result<void> find_oldest(const RequestContext& call, storage::Reader& reader, QueueRow& row) {
  if (!call.principal.project.empty() || row.jobs[JobState::queued] == 0) return {};
  const auto oldest = reader.oldest_queued(row.view.name);
  if (!oldest) return oldest.error();
  if (oldest.value()) row.oldest = oldest.value()->time();
  return {};
}

void append_queue(std::string& out, const QueueRow& row) {
  ObjectWriter view(out);
  view.text("name", row.view.name);
  view.text("pool", row.view.pool);
  view.flag("paused", row.view.paused);
  view.flag("closed", row.view.closed);
  view.json("limits", to_json(row.view.limits));
  const auto count = [&row](JobState state) {
    const auto found = row.jobs.find(state);
    return found == row.jobs.end() ? 0 : found->second;
  };
  view.number("depth", count(JobState::queued));
  for (const JobState state : {JobState::queued, JobState::scheduled, JobState::running})
    view.number(to_string(state), count(state));
  view.time("oldest_queued_at", row.oldest);
}

void read_rate(Fields& fields, std::string_view name, Rate& rate, std::vector<FieldFault>& faults) {
  const std::optional<JsonValue> member = fields.member(name);
  if (!member) return;
  Fields parts(*member, "/limits/" + std::string(name), faults);
  parts.require("count");
  parts.integer("count", rate.count, 1, rate_count_max);
  parts.integer("per_s", rate.per_s, 1, rate_seconds_max);
  parts.refuse_rest();
}

// What is not named is not limited: the object says it all.
QueueLimits read_limits(JsonValue body, std::vector<FieldFault>& faults) {
  QueueLimits limits;
  Fields fields(body, "", faults);
  fields.require("limits");
  if (const std::optional<JsonValue> member = fields.member("limits")) {
    Fields parts(*member, "/limits", faults);
    parts.integer("concurrency", limits.concurrency, 1, concurrency_max);
    parts.integer("per_key", limits.per_key, 1, concurrency_max);
    read_rate(parts, "rate", limits.rate, faults);
    read_rate(parts, "key_rate", limits.key_rate, faults);
    parts.refuse_rest();
  }
  fields.refuse_rest();
  return limits;
}

void set(const RequestPtr& call, std::optional<bool> paused, std::optional<bool> closed,
         int status) {
  if (!call->allow_only({}) || !call->has_empty_body() ||
      !call->is_of_all_projects("Steering queues is"))
    return;
  const std::string name = call->params.at(0);
  if (!is_name(name)) return call->fail({ErrorCode::resource_not_found});
  const auto done = call->on_loop<void>([call, name, paused, closed, status](Result<void> set_it) {
    if (!set_it) return call->fail(set_it.error());
    std::string out;
    {
      ObjectWriter view(out);
      view.text("name", name);
      if (paused) view.flag("paused", *paused);
      if (closed) view.flag("closed", *closed);
    }
    call->reply(status, std::move(out));
  });
  call->api.node().set_queue(name, paused, closed, done);
}

}  // namespace

void list_queues(RequestPtr call) {
  if (!call->allow_only({})) return;
  call->read([call](storage::Reader& reader) {
    const auto counts = reader.counts(call->principal.project);
    if (!counts) return call->fail(counts.error());
    QueueRows rows = gather(call->api.node(), counts.value());
    for (auto& [name, row] : rows)
      if (Result<void> found = find_oldest(*call, reader, row); !found)
        return call->fail(found.error());
    std::string out = "{\"queues\":";
    append_list(out, rows,
                [](std::string& to, const auto& entry) { append_queue(to, entry.second); });
    call->reply(200, out + '}');
  });
}

void get_queue(RequestPtr call) {
  if (!call->allow_only({})) return;
  call->read([call](storage::Reader& reader) {
    const auto counts = reader.counts(call->principal.project);
    if (!counts) return call->fail(counts.error());
    QueueRows rows = gather(call->api.node(), counts.value());
    const auto found = rows.find(call->params.at(0));
    if (found == rows.end()) return call->fail({ErrorCode::resource_not_found});
    if (Result<void> oldest = find_oldest(*call, reader, found->second); !oldest)
      return call->fail(oldest.error());
    const auto version = stored_version(reader, "queue", found->first);
    if (!version) return call->fail(version.error());
    std::string out;
    append_queue(out, found->second);
    reply_with_version(*call, std::move(out), version.value());
  });
}

void patch_queue(RequestPtr call) {
  if (!call->allow_only({})) return;
  const std::optional<JsonValue> body = call->body();
  if (!body || !call->is_of_all_projects("Limiting queues is")) return;
  std::vector<FieldFault> faults;
  const QueueLimits limits = read_limits(*body, faults);
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  const std::string name = call->params.at(0);
  if (!is_name(name)) return call->fail({ErrorCode::resource_not_found});
  const std::optional<VersionWanted> wanted = version_wanted(*call);
  if (!wanted) return;
  const auto written = [call, name, limits](const Result<storage::DocResult>& doc) {
    if (!doc) return call->fail(doc.error());
    if (!doc->written) return fail_version(*call, doc->version);
    std::string out;
    {
      ObjectWriter view(out);
      view.text("name", name);
      view.json("limits", to_json(limits));
    }
    reply_with_version(*call, std::move(out), doc->version);
  };
  call->api.node().limit_queue(name, limits, wanted->version,
                               call->on_loop<storage::DocResult>(written));
}

void pause_queue(RequestPtr call) {
  set(call, true, std::nullopt, 200);
}

void resume_queue(RequestPtr call) {
  set(call, false, std::nullopt, 200);
}

void close_queue(RequestPtr call) {
  set(call, std::nullopt, true, 200);
}

void open_queue(RequestPtr call) {
  set(call, std::nullopt, false, 200);
}

// Draining is closing and letting it run: what is in the queue still starts.
void drain_queue(RequestPtr call) {
  set(call, false, true, 202);
}

}  // namespace quell::http::handlers
