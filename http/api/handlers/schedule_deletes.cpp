// Deleting schedules, under both of their paths, and doing something to a group of them at once.
#include <iterator>
#include <memory>

#include "http/api/api_server.hpp"
#include "http/api/doc_version.hpp"
#include "http/api/handlers/by_filter.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/idempotency.hpp"
#include "http/api/job_request.hpp"
#include "http/api/schedule_request.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/schedule_views.hpp"
#include "runtime/policy/schedule_terms.hpp"

namespace quell::http::handlers {

namespace {

constexpr int group_page = 10'000;

// `project` is asked for where the path does not name one.
std::optional<TaskDeleteRequest> read_request(RequestContext& call, bool of_group = false) {
  const bool known =
      of_group ? call.allow_only({"project", "jobs", "confirm", "validate_only", "reason"})
               : call.allow_only({"wait", "jobs", "confirm", "validate_only", "reason"});
  if (!known || !call.has_empty_body()) return std::nullopt;
  TaskDeleteRequest request;
  const auto confirm = call.boolean("confirm");
  if (!confirm) return std::nullopt;
  const auto dry_run = call.boolean("validate_only");
  if (!dry_run || !call.read_reason(request.reason)) return std::nullopt;
  if (!of_group && !call.read_wait(request.wait)) return std::nullopt;
  if (!of_group) {
    const auto wanted = version_wanted(call);
    if (!wanted) return std::nullopt;
    request.if_version = wanted->version;
  }
  request.confirm = *confirm;
  request.dry_run = *dry_run;
  if (const auto text = call.query("jobs")) {
    const auto jobs = parse_jobs_of_task(*text);
    if (!jobs)
      return call.fail({ErrorCode::invalid_field, "'jobs' is delete, keep or cancel."}),
             std::nullopt;
    request.jobs = *jobs;
  }
  request.who = call.principal.who();
  request.held_key = held_key(call);
  request.request_id = call.request_id;
  request.project = call.principal.project;
  return request;
}

void order_delete(const RequestPtr& call, TaskDeleteRequest request, const std::string& text) {
  call->api.node().delete_task(
      std::move(request),
      call->on_loop<TaskDeleteReport>([call, text](const Result<TaskDeleteReport>& report) {
        if (!report) return fail_held(*call, report.error());
        if (report->fate == TaskFate::changed) return fail_version(*call, report->version);
        call->reply(task_delete_response(text, *report));
      }));
}

// With a wish for a version also a dry run looks; what is being deleted is not asked for it.
void erase_task(const RequestPtr& call, TaskDeleteRequest request, const std::string& text) {
  const auto task = Uuid::parse(text);
  // What nobody can have made is not there.
  if (!task) return call->reply(task_delete_response(text, {}));
  request.task = *task;
  const bool is_frozen = call->api.node().deletion_rules().frozen && !request.dry_run;
  if (!request.if_version || is_frozen) return order_delete(call, std::move(request), text);
  call->read([call, request = std::move(request), text](storage::Reader& reader) {
    const auto row = reader.schedule(request.task);
    if (!row) return call->fail(row.error());
    const bool is_seen = *row && (request.project.empty() || (*row)->project == request.project);
    if (is_seen && (*row)->status != ScheduleStatus::pending_delete &&
        (*row)->version != *request.if_version)
      return fail_version(*call, (*row)->version);
    call->post([call, request, text] { order_delete(call, request, text); });
  });
}

std::optional<std::string> group_project(RequestContext& call) {
  const std::string& own = call.principal.project;
  std::string project = call.query("project").value_or(own);
  if (project.empty()) project = "default";
  if (!own.empty() && project != own) {
    call.fail({ErrorCode::forbidden, "The token belongs to another project."});
    return std::nullopt;
  }
  return project;
}

// All of it, however large: what is left out would go on firing.
Result<std::vector<storage::ScheduleRow>> read_group(const RequestContext& call,
                                                     const std::string& project,
                                                     storage::Reader& reader) {
  storage::ScheduleQuery query;
  query.project = project;
  query.group = call.params.at(0);
  query.limit = group_page;
  std::vector<storage::ScheduleRow> all;
  while (true) {
    auto page = reader.schedules(query);
    if (!page) return page.error();
    std::move(page->begin(), page->end(), std::back_inserter(all));
    if (page->size() < static_cast<std::size_t>(group_page)) return all;
    query.after = all.back().id;
  }
}

// A schedule that fires submits for whoever lets it: held to what a submit is held to.
Result<void> may_become(const RequestContext& call, const storage::ScheduleRow& row,
                        ScheduleStatus status) {
  if (status != ScheduleStatus::active) return {};
  const NewJob job = terms_from_json(row.terms).job;
  const Node& node = call.api.node();
  return may_run(node.registry(), job.kind, job.args, call.principal.scopes,
                 node.settings().exec_enabled);
}

void set_group(const RequestPtr& call, ScheduleStatus status, const char* what) {
  if (!call->allow_only({"project"}) || !call->has_empty_body()) return;
  const auto project = group_project(*call);
  if (!project) return;
  call->read([call, status, what, project = *project](storage::Reader& reader) {
    const auto rows = read_group(*call, project, reader);
    if (!rows) return call->fail(rows.error());
    const Instant now = call->api.now();
    storage::Batch batch;
    std::int64_t refused = 0;
    std::optional<Error> refusal;
    for (const storage::ScheduleRow& row : *rows) {
      if (is_leaving(row.status) || row.status == status) continue;
      if (const auto allowed = may_become(*call, row, status); !allowed) {
        ++refused;
        refusal = allowed.error();
        continue;
      }
      storage::ScheduleRow changed = row;
      changed.status = status;
      set_times(changed, terms_from_json(row.terms), now);
      batch.schedule_puts.push_back(put_with_new_times(std::move(changed), row, now));
    }
    if (refusal && batch.schedule_puts.empty()) return call->fail(*refusal);
    // What does nothing is no row of the audit.
    if (batch.schedule_puts.empty()) return call->reply(200, "{\"changed\":0,\"failed\":0}");
    batch.audits.push_back({now, call->principal.who(), what, call->params.at(0),
                            "{\"project\":" + json_string(project) + "}"});
    call->api.node().write(
        std::move(batch),
        call->on_loop<storage::Outcome>([call, refused](const Result<storage::Outcome>& done) {
          if (!done) return call->fail(done.error());
          std::int64_t changed = 0, missed = refused;
          for (const auto& put : done->schedule_puts) ++(put.written ? changed : missed);
          call->reply(200, "{\"changed\":" + std::to_string(changed) +
                               ",\"failed\":" + std::to_string(missed) + "}");
        }));
  });
}

}  // namespace

void delete_schedule(RequestPtr call) {
  auto request = read_request(*call);
  if (request) erase_task(call, std::move(*request), call->params.at(0));
}

void delete_task(RequestPtr call) {
  auto request = read_request(*call);
  if (!request) return;
  const std::string& project = call->params.at(0);
  // Of a project that the token does not see there is nothing to be seen.
  if (!request->project.empty() && request->project != project)
    return call->reply(task_delete_response(call->params.at(1), {}));
  request->project = project;
  erase_task(call, std::move(*request), call->params.at(1));
}

void pause_group(RequestPtr call) {
  set_group(call, ScheduleStatus::disabled, "schedule_group.paused");
}

void resume_group(RequestPtr call) {
  set_group(call, ScheduleStatus::active, "schedule_group.resumed");
}

void delete_group(RequestPtr call) {
  const auto project = group_project(*call);
  if (!project) return;
  auto request = read_request(*call, true);
  if (!request) return;
  request->project = *project;
  call->read([call, request = *request](storage::Reader& reader) {
    const auto rows = read_group(*call, request.project, reader);
    if (!rows) return call->fail(rows.error());
    if (rows->empty())
      return call->reply(202,
                         "{\"scheduled\":0,\"failed\":0,\"would_delete\":0,\"dry_run\":false}");
    std::vector<Uuid> tasks;
    for (const storage::ScheduleRow& row : *rows) tasks.push_back(row.id);
    call->post([call, request, tasks] {
      call->api.node().delete_tasks(
          tasks, request, call->on_loop<TasksOrdered>([call](const Result<TasksOrdered>& ordered) {
            if (!ordered) return fail_held(*call, ordered.error());
            call->reply(group_delete_response(*ordered));
          }));
    });
  });
}

}  // namespace quell::http::handlers
