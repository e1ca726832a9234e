#include "http/api/views/views.hpp"

#include <fmt/format.h>

#include "http/api/views/json_text.hpp"
#include "http/api/views/json_writer.hpp"

namespace quell::http {

namespace {

std::string_view trace_id(const std::string& traceparent) {
  return traceparent.size() >= 35 ? std::string_view{traceparent}.substr(3, 32)
                                  : std::string_view{};
}

void append_deletion(std::string& out, const JobView& job, const storage::TicketView* ticket) {
  if (!job.delete_id) {
    out += "null";
    return;
  }
  ObjectWriter deletion(out);
  deletion.text("delete_id", job.delete_id->text());
  deletion.text("state", to_string(job.state));
  if (ticket == nullptr) return;
  deletion.time("since", ticket->at);
  deletion.text("was", to_string(ticket->was));
  deletion.text_or_null("who", ticket->who);
  deletion.text_or_null("reason", ticket->reason);
  deletion.number("open_holders", static_cast<std::int64_t>(ticket->open.size()));
  deletion.number("tries", ticket->tries);
  deletion.text_or_null("last_error", ticket->error);
  deletion.time("next_try", ticket->next_try);
}

void append_partials(std::string& out,
                     const std::vector<std::pair<std::int64_t, std::string>>& partials) {
  append_list(out, partials, [](std::string& to, const auto& partial) {
    ObjectWriter one(to);
    one.number("seq", partial.first);
    one.json("data", partial.second);
  });
}

}  // namespace

std::string etag(const JobView& job) {
  return fmt::format("\"{}-{}-{}\"", job.epoch, job.attempt, to_string(job.state));
}

void append_job(std::string& out, const JobView& job, const JobDetail& detail) {
  ObjectWriter view(out);
  view.text("job_id", job.id.text());
  view.text("project", job.project);
  view.text("kind", job.kind);
  view.text("status", to_string(job.state));
  if (job.progress)
    view.real("progress", *job.progress);
  else
    view.null("progress");
  view.text_or_null("current_phase", job.phase);
  view.json("args", job.args.empty() ? std::string_view{"{}"} : std::string_view{job.args});
  if (detail.partials != nullptr) append_partials(view.key("partial_results"), *detail.partials);
  view.json("result", job.result);
  view.json("error", job.error);
  view.json("usage", job.usage);
  view.text("queue", job.queue);
  view.number("priority", job.priority);
  view.number("attempt", job.attempt);
  view.number("max_attempts", job.options.max_attempts);
  view.real("timeout_s", static_cast<double>(job.options.timeout.count()) / 1000);
  view.time("deadline_at", job.options.deadline);
  append_list(view.key("tags"), job.options.tags,
              [](std::string& to, const std::string& tag) { append_quoted(to, tag); });
  view.text_or_null("unique_key", job.unique_key.value_or(""));
  view.text_or_null("limit_key", job.options.limit_key);
  view.text_or_null("webhook", job.options.webhook);
  view.flag("protected", job.options.is_protected);
  view.time("created_at", job.id.time());
  view.time("run_at", job.due);
  view.time("started_at", job.started);
  view.time("finished_at", job.finished);
  view.time("expires_at", job.expires);
  view.time("result_expires_at", job.result_expires ? job.result_expires : job.expires);
  view.text_or_null("worker_id", job.node ? job.node->text() : std::string{});
  view.number("epoch", job.epoch);
  view.number("lost", job.lost);
  view.flag("cancel_requested", job.cancel_requested);
  append_deletion(view.key("deletion"), job, detail.ticket);
  view.text_or_null("schedule_id", job.options.schedule);
  view.text_or_null("trace_id", trace_id(job.options.traceparent));
  view.text("etag", etag(job));
}

std::string job_json(const JobView& job, const JobDetail& detail) {
  std::string out;
  out.reserve(1024);
  append_job(out, job, detail);
  return out;
}

std::string pick_fields(const std::string& object, const std::vector<std::string>& names) {
  const std::vector<JsonMember> members = JsonValue{object}.members();
  std::string out;
  {
    ObjectWriter picked(out);
    for (const std::string& name : names)
      for (const JsonMember& member : members)
        if (member.name == name) picked.json(name, member.value.text());
  }
  return out;
}

void append_attempt(std::string& out, const AttemptRecord& attempt) {
  ObjectWriter view(out);
  view.number("attempt", attempt.n);
  view.text("outcome", attempt.outcome);
  view.time("started_at", attempt.started);
  view.time("ended_at", attempt.ended == Instant{} ? std::nullopt : std::optional{attempt.ended});
  view.json("error", attempt.error);
  view.text_or_null("worker_id", attempt.node);
}

void append_ticket(std::string& out, const storage::TicketView& ticket) {
  ObjectWriter view(out);
  view.text("job_id", ticket.job.text());
  view.text("delete_id", ticket.delete_id.text());
  view.text("state", to_string(ticket.state));
  view.text("was", to_string(ticket.was));
  view.text_or_null("who", ticket.who);
  view.text_or_null("reason", ticket.reason);
  view.text_or_null("last_error", ticket.error);
  view.time("since", ticket.at);
  view.number("tries", ticket.tries);
  view.time("next_try", ticket.next_try);
  view.number("open_holders", static_cast<std::int64_t>(ticket.open.size()));
  view.flag("forced", ticket.forced);
}

void append_pool(std::string& out, const PoolView& pool) {
  ObjectWriter view(out);
  view.text("name", pool.name);
  view.number("capacity", pool.capacity);
  view.number("used", pool.used);
  view.number("free", pool.free);
  view.number("stuck", pool.stuck);
  view.number("waiting", pool.waiting);
}

}  // namespace quell::http
