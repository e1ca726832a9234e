// Submitting one job, or many in one transaction.
#include <fmt/format.h>

#include "http/door.hpp"
#include "http/handlers/handlers.hpp"
#include "http/idempotency.hpp"
#include "http/job_request.hpp"
#include "http/json_writer.hpp"
#include "runtime/trace_context.hpp"

namespace quell::http::handlers {

namespace {

using Stored = std::vector<storage::EnqueueResult>;

constexpr std::size_t parse_here_bytes = 64 * 1024;  // more is taken apart on a reader's thread

bool may(const void* principal, std::string_view wire) {
  const auto scope = parse_scope(wire);
  return scope && static_cast<const Principal*>(principal)->scopes.has(*scope);
}

SubmitTerms terms_of(const Call& call) {
  SubmitTerms terms;
  terms.registry = &call.door.node().registry();
  terms.may = &may;
  terms.principal = &call.principal;
  terms.project = call.principal.project;
  terms.traceparent = traceparent_of(call.request.header("traceparent"));
  terms.defaults = call.door.settings().job_defaults;
  terms.now = call.door.now();
  return terms;
}

std::string submitted_json(const NewJob& job, JobState state) {
  std::string out;
  out.reserve(256);
  {
    ObjectWriter view(out);
    view.text("job_id", job.id.text());
    view.text("kind", job.kind);
    view.text("status", to_string(state));
    view.text("queue", job.queue);
    view.text("project", job.project);
    view.number("priority", job.priority);
    view.time("created_at", job.id.time());
    view.time("run_at", job.run_at);
  }
  return out;
}

// A repeat finds the ids of its first call taken: by itself.
void answer_one(Call& call, const NewJob& job, const storage::EnqueueResult& result,
                bool is_repeat) {
  if (result.answer == storage::EnqueueAnswer::id_taken && !is_repeat)
    return call.fail(Problem(ErrorCode::job_id_taken).member("job_id", json_string(job.id.text())));
  if (result.answer == storage::EnqueueAnswer::unique_conflict)
    return call.fail(Problem(ErrorCode::unique_conflict)
                         .member("existing_job_id", json_string(result.existing.text()))
                         .member("existing_status", json_string(to_string(result.existing_state))));
  Response response;
  response.status = 201;
  response.headers.emplace_back("Location", "/api/v1/jobs/" + job.id.text());
  response.body = submitted_json(job, result.state);
  call.reply(std::move(response));
}

// Ids in the order of the jobs; where a unique key was taken, the id of the job that has it.
void append_many(std::string& out, const std::vector<JobId>& ids, const Stored& results,
                 bool is_repeat) {
  ObjectWriter reply(out);
  std::string& list = reply.key("job_ids");
  std::string conflicts;
  std::int64_t stored = 0;
  list += '[';
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool taken = results[i].answer == storage::EnqueueAnswer::unique_conflict;
    if (i > 0) list += ',';
    append_quoted(list, taken ? results[i].existing.text() : ids[i].text());
    if (results[i].answer == storage::EnqueueAnswer::stored || (is_repeat && !taken)) {
      ++stored;
      continue;
    }
    if (!conflicts.empty()) conflicts += ',';
    ObjectWriter one(conflicts);
    one.number("index", static_cast<std::int64_t>(i));
    one.text("code", info(taken ? ErrorCode::unique_conflict : ErrorCode::job_id_taken).wire);
  }
  list += ']';
  reply.number("stored", stored);
  reply.json("conflicts", "[" + conflicts + "]");
}

void submit_many(const CallPtr& call, std::vector<NewJob> jobs, bool is_repeat) {
  std::vector<JobId> ids;
  ids.reserve(jobs.size());
  for (const NewJob& job : jobs) ids.push_back(job.id);
  call->door.node().submit(
      std::move(jobs),
      call->on_loop<Stored>([call, ids = std::move(ids), is_repeat](Result<Stored> stored) {
        if (!stored) return call->fail(stored.error());
        std::string body;
        body.reserve(ids.size() * 40 + 64);
        append_many(body, ids, *stored, is_repeat);
        call->reply(201, std::move(body));
      }));
}

void read_and_submit_many(const CallPtr& call) {
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  std::vector<JsonValue> items;
  fields.require("jobs");
  if (fields.array("jobs", items)) {
    if (items.empty()) fields.wrong("jobs", "At least one job is needed.");
    if (items.size() > max_bulk_jobs)
      return call->fail({ErrorCode::body_too_large,
                         fmt::format("One call takes at most {} jobs.", max_bulk_jobs)});
  }
  fields.refuse_rest();
  const SubmitTerms terms = terms_of(*call);
  std::vector<NewJob> jobs;
  jobs.reserve(items.size());
  for (std::size_t i = 0; i < items.size() && faults.size() < 50; ++i)
    jobs.push_back(
        read_job(items[i], fmt::format("/jobs/{}", i), terms, call->door.node().ids(), faults));
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  once(call, std::move(jobs), [call](std::vector<NewJob> once_only, bool is_repeat) {
    submit_many(call, std::move(once_only), is_repeat);
  });
}

}  // namespace

void submit_job(CallPtr call) {
  if (!call->only({}) || !call->expects_json()) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  NewJob job = read_job(*body, "", terms_of(*call), call->door.node().ids(), faults);
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  once(call, {std::move(job)}, [call](std::vector<NewJob> jobs, bool is_repeat) {
    NewJob one = jobs.front();
    call->door.node().submit(
        std::move(jobs),
        call->on_loop<Stored>([call, one = std::move(one), is_repeat](Result<Stored> done) {
          if (!done) return call->fail(done.error());
          answer_one(*call, one, done->front(), is_repeat);
        }));
  });
}

void bulk_submit(CallPtr call) {
  if (!call->only({}) || !call->expects_json()) return;
  if (call->request.body.size() < parse_here_bytes) return read_and_submit_many(call);
  call->read([call](storage::Reader&) { read_and_submit_many(call); });
}

}  // namespace quell::http::handlers
