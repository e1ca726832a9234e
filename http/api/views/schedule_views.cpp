#include "http/api/views/schedule_views.hpp"

#include <algorithm>

#include "http/api/doc_version.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/policy/schedule_terms.hpp"

namespace quell::http {

namespace {

double seconds(Millis time) {
  return static_cast<double>(time.count()) / 1000;
}

void append_template(std::string& out, const ScheduleTerms& terms) {
  const NewJob& job = terms.job;
  ObjectWriter view(out);
  view.text("kind", job.kind);
  view.json("args", job.args.empty() ? std::string_view("{}") : std::string_view(job.args));
  view.text("queue", job.queue);
  view.number("priority", job.priority);
  view.number("max_attempts", job.options.max_attempts);
  view.real("timeout_s", seconds(job.options.timeout));
  view.real("backoff_s", seconds(job.options.backoff));
  view.real("backoff_max_s", seconds(job.options.backoff_max));
  if (terms.deadline) view.real("deadline_s", seconds(*terms.deadline));
  append_list(view.key("tags"), job.options.tags,
              [](std::string& to, const std::string& tag) { append_quoted(to, tag); });
  if (job.unique_key) view.text("unique_key", *job.unique_key);
  if (!job.options.limit_key.empty()) view.text("limit_key", job.options.limit_key);
  if (!job.options.webhook.empty()) view.text("webhook", job.options.webhook);
  view.flag("protected", job.options.is_protected);
}

void append_times(ObjectWriter& view, const TimesTold& times) {
  view.text_or_null("cron", times.cron);
  if (times.every > Millis{0})
    view.real("every", seconds(times.every));
  else
    view.null("every");
  view.time("at", times.at);
  view.text("zone", times.zone);
  view.time("start_at", times.start);
  view.time("end_at", times.end);
  view.real("jitter_s", seconds(times.jitter));
  view.text("misfire", to_string(times.misfire));
  view.number("misfire_limit", times.misfire_limit);
}

const char* deleted_message(JobsOfTask jobs) {
  switch (jobs) {
    case JobsOfTask::keep:
      return "Task and its jobs that had not ended are deleted; the others stay";
    case JobsOfTask::cancel:
      return "Task is deleted; its jobs that had not ended are cancelled, and all of them stay";
    case JobsOfTask::remove:
      break;
  }
  return "Task and its jobs are deleted";
}

void append_report(std::string& out, const std::string& task, const TaskDeleteReport& report) {
  ObjectWriter reply(out);
  switch (report.fate) {
    case TaskFate::already_deleted:
      reply.text("status", "ALREADY_DELETED");
      reply.text("task_uuid", task);
      reply.text("message", "Task is already deleted");
      break;
    case TaskFate::pending:
      reply.text("status", "PENDING_DELETE");
      reply.text("task_uuid", task);
      reply.text("message", "Task deletion has been scheduled");
      break;
    case TaskFate::would_delete:
      reply.text("status", "WOULD_DELETE");
      reply.text("task_uuid", task);
      reply.text("message", report.frozen ? "Nothing was changed. Deletions are frozen."
                                          : "Nothing was changed.");
      reply.flag("dry_run", true);
      break;
    case TaskFate::failed:
      reply.text("status", "DELETE_FAILED");
      reply.text("task_uuid", task);
      reply.text("message", "Task could not be deleted yet: " + report.error);
      break;
    case TaskFate::changed:
      QUELL_ASSERT(!"this is answered with its version");
      break;
    case TaskFate::deleted:
      reply.text("status", "DELETED");
      reply.text("task_uuid", task);
      reply.text("message", deleted_message(report.jobs.value_or(JobsOfTask::remove)));
      reply.text_or_null("delete_id", report.delete_id ? report.delete_id->text() : std::string());
      reply.json("counts", report.counts);
      reply.json("receipt", report.receipt);
  }
}

}  // namespace

void append_schedule(std::string& out, const storage::ScheduleRow& row) {
  const ScheduleTerms terms = terms_from_json(row.terms);
  ObjectWriter view(out);
  view.text("task_uuid", row.id.text());
  view.text("name", row.name);
  view.text("project", row.project);
  view.text_or_null("group", row.group);
  view.text("status", to_string(row.status));
  append_times(view, terms.times);
  view.text("overlap", to_string(terms.overlap));
  append_template(view.key("job"), terms);
  view.time("next_fire", row.next);
  view.time("waiting_fire", row.waiting);
  view.time("last_fire", row.last);
  view.text_or_null("last_job_id", row.last_job ? row.last_job->text() : std::string());
  view.number("fired", row.fired);
  view.number("missed", row.missed);
  view.number("overlaps", row.overlaps);
  view.text_or_null("error", row.error);
  view.time("created_at", row.created);
  view.time("changed_at", row.changed);
  view.text("etag", version_tag(row.version));
}

std::string next_fires_json(const storage::ScheduleRow& row, Instant now, std::size_t count) {
  const ScheduleTerms terms = terms_from_json(row.terms);
  std::vector<Instant> fires;
  if (row.status == ScheduleStatus::active)
    if (const auto times = ScheduleTimes::make(terms.times, row.created))
      fires = times->upcoming(now, count);
  std::string out;
  {
    ObjectWriter reply(out);
    reply.text("task_uuid", row.id.text());
    reply.text("zone", terms.times.zone);
    append_list(reply.key("next"), fires, [&terms](std::string& to, Instant at) {
      ObjectWriter one(to);
      one.time("at", at);
      one.text("wall", wall_time_text(at, terms.times.zone));
    });
  }
  return out;
}

Response task_delete_response(const std::string& task, const TaskDeleteReport& report) {
  Response response;
  const bool is_over = report.fate == TaskFate::deleted || report.fate == TaskFate::would_delete;
  response.status = is_over ? 200 : 202;
  append_report(response.body, task, report);
  return response;
}

Response group_delete_response(const TasksOrdered& ordered) {
  const bool is_dry = ordered.would_delete > 0;
  const auto changed = std::count_if(ordered.results.begin(), ordered.results.end(),
                                     [](const storage::TaskDeleteResult& one) {
                                       return one.answer == storage::TaskDeleteAnswer::changed;
                                     });
  Response response;
  response.status = is_dry ? 200 : 202;
  {
    ObjectWriter reply(response.body);
    reply.number("scheduled", std::ssize(ordered.results) - changed);
    reply.number("failed", changed);
    reply.number("would_delete", static_cast<std::int64_t>(ordered.would_delete));
    reply.flag("dry_run", is_dry);
  }
  return response;
}

}  // namespace quell::http
