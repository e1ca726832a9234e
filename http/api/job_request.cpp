#include "http/api/job_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runtime/base/name.hpp"

namespace quell::http {

namespace {

constexpr double week_s = 7 * 24 * 3600;
constexpr double year_s = 366 * 24 * 3600;

bool is_key(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && std::none_of(text.begin(), text.end(), is_control);
}

void read_kind(Fields& fields, NewJob& job, const SubmitTerms& terms) {
  fields.require("kind");
  if (!fields.text("kind", job.kind, 128)) return;
  if (terms.registry->find(job.kind) == nullptr)
    return fields.wrong("kind", terms.registry->unknown(job.kind), ErrorCode::unknown_kind);
  const Result<void> allowed =
      may_run(*terms.registry, job.kind, job.args, terms.scopes, terms.exec_enabled);
  if (!allowed) return fields.wrong("kind", allowed.error().detail, allowed.error().code);
  const Result<void> checked = terms.registry->check(job.kind, job.args);
  if (!checked) fields.wrong("args", checked.error().detail, checked.error().code);
}

void read_when(Fields& fields, NewJob& job, const SubmitTerms& terms) {
  Instant at;
  Millis delay{};
  const bool timed = fields.time("run_at", at);
  const bool delayed = fields.seconds("delay_s", delay, 0, year_s);
  if (timed && delayed) return fields.wrong("delay_s", "Give either run_at or delay_s.");
  if (timed) job.run_at = at;
  if (delayed && delay > Millis{0}) job.run_at = terms.now + delay;
  Millis allowed{};
  Instant deadline;
  const bool dated = fields.time("deadline_at", deadline);
  if (fields.seconds("deadline_s", allowed, 0.001, year_s)) {
    if (dated) return fields.wrong("deadline_s", "Give either deadline_at or deadline_s.");
    job.options.deadline = terms.now + allowed;
  } else if (dated) {
    job.options.deadline = deadline;
  }
}

void read_options(Fields& fields, NewJob& job) {
  JobOptions& options = job.options;
  std::int64_t whole = 0;
  if (fields.integer("max_attempts", whole, 1, 1000))
    options.max_attempts = static_cast<int>(whole);
  if (fields.integer("priority", whole, 0, 9)) job.priority = static_cast<int>(whole);
  fields.seconds("timeout_s", options.timeout, 0.001, week_s);
  fields.seconds("backoff_s", options.backoff, 0, year_s);
  fields.seconds("backoff_max_s", options.backoff_max, 0, year_s);
  fields.texts("tags", options.tags, max_tags, 128);
  fields.flag("protected", options.is_protected);
  if (fields.text("webhook", options.webhook, 2048) && options.webhook.rfind("http://", 0) != 0 &&
      options.webhook.rfind("https://", 0) != 0)
    fields.wrong("webhook", "This must be an http or https URL.");
}

void read_place(Fields& fields, NewJob& job, const SubmitTerms& terms) {
  if (fields.text("queue", job.queue, 128) && !is_name(job.queue))
    fields.wrong("queue", "A queue's name has letters, digits, and . _ - only.");
  if (!terms.project.empty()) job.project = terms.project;
  std::string project;
  if (!fields.text("project", project, 128)) return;
  if (!is_name(project))
    return fields.wrong("project", "A project's name has letters, digits, and . _ - only.");
  if (!terms.project.empty() && project != terms.project)
    return fields.wrong("project", "The token belongs to another project.", ErrorCode::forbidden);
  job.project = std::move(project);
}

void read_identity(Fields& fields, NewJob& job, IdSource& ids) {
  std::string text;
  if (fields.text("job_id", text, 64)) {
    const std::optional<Uuid> id = Uuid::parse(text);
    // Lists are ordered by id, so an id without a time would never be found where it belongs.
    if (!id || (id->bytes[6] >> 4) != 7)
      return fields.wrong("job_id", "This must be a UUID of version 7.");
    job.id = *id;
  } else {
    job.id = ids.next();
  }
  if (fields.text("unique_key", text, 255)) {
    if (text.empty()) return fields.wrong("unique_key", "This may not be empty.");
    job.unique_key = std::move(text);
  }
  if (fields.text("limit_key", job.options.limit_key, 255) && !is_key(job.options.limit_key))
    fields.wrong("limit_key", "This may be neither empty nor have control characters.");
}

}  // namespace

// A kind that runs others needs their scopes too.
Result<void> may_run(const Registry& registry, const std::string& kind, const std::string& args,
                     const ScopeSet& held, bool exec_enabled) {
  const std::set<std::string> needed = registry.scopes(kind, args);
  for (const std::string& wire : needed) {
    const std::optional<Scope> scope = parse_scope(wire);
    if (!scope || !held.has(*scope))
      return Error{ErrorCode::forbidden, fmt::format("This kind needs the scope '{}'.", wire)};
  }
  if (!exec_enabled && needed.count(std::string{to_string(Scope::jobs_exec)}) > 0)
    return Error{ErrorCode::exec_disabled, std::string{info(ErrorCode::exec_disabled).sentence}};
  return {};
}

NewJob read_job(JsonValue object, const std::string& pointer, const SubmitTerms& terms,
                IdSource& ids, std::vector<FieldFault>& faults) {
  NewJob job;
  Fields fields(object, pointer, faults);
  if (!faults.empty()) return job;
  job.options = terms.defaults;
  fields.object("args", job.args, max_args_bytes);
  read_kind(fields, job, terms);
  read_place(fields, job, terms);
  read_when(fields, job, terms);
  read_options(fields, job);
  read_identity(fields, job, ids);
  fields.refuse_rest();
  job.options.traceparent = terms.traceparent;
  // A job that needs no row of options does not get one for this.
  if (!job.args.empty() || job.unique_key || job.options != JobOptions{})
    job.options.submitted_by = terms.who;
  return job;
}

}  // namespace quell::http
