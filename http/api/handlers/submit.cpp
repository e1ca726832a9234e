// Submitting one job, or many in one transaction.
#include <fmt/format.h>

#include <set>

#include "http/api/api_server.hpp"
#include "http/api/found_job.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/idempotency.hpp"
#include "http/api/submit_terms.hpp"
#include "http/api/views/json_writer.hpp"

namespace quell::http::handlers {

namespace {

using Stored = std::vector<storage::EnqueueResult>;

constexpr std::size_t parse_here_bytes = 64 * 1024;  // more is taken apart on a reader's thread

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

void reply_submitted(RequestContext& call, const NewJob& job, JobState state) {
  Response response;
  response.status = 201;
  response.headers.emplace_back("Location", "/api/v1/jobs/" + job.id.text());
  response.body = submitted_json(job, state);
  call.reply(std::move(response));
}

// A repeat finds the id of its first call taken, by itself: it is told what the job is now, and
// when it was deleted meanwhile, that.
void answer_repeat(const RequestPtr& call, const NewJob& job) {
  call->read([call, job](storage::Reader& reader) {
    if (const auto now = find_job(*call, reader, job.id, false))
      reply_submitted(*call, job, now->state);
  });
}

void answer_one(RequestContext& call, const NewJob& job, const storage::EnqueueResult& result) {
  if (result.answer == storage::EnqueueAnswer::id_taken)
    return call.fail(Problem(ErrorCode::job_id_taken).member("job_id", json_string(job.id.text())));
  if (result.answer == storage::EnqueueAnswer::unique_conflict)
    return call.fail(Problem(ErrorCode::unique_conflict)
                         .member("existing_job_id", json_string(result.existing.text()))
                         .member("existing_status", json_string(to_string(result.existing_state))));
  if (result.answer == storage::EnqueueAnswer::refused)
    return call.fail({ErrorCode::internal, result.refusal});
  reply_submitted(call, job, result.state);
}

ErrorCode code_of(storage::EnqueueAnswer answer) {
  if (answer == storage::EnqueueAnswer::unique_conflict) return ErrorCode::unique_conflict;
  if (answer == storage::EnqueueAnswer::refused) return ErrorCode::internal;
  return ErrorCode::job_id_taken;
}

// Ids in the order of the jobs; where a unique key was taken, the id of the job that has it.
// `living`, of a repeat: those of its ids whose jobs are still there.
void append_many(std::string& out, const std::vector<JobId>& ids, const Stored& results,
                 const std::optional<std::set<JobId>>& living) {
  ObjectWriter reply(out);
  std::string& list = reply.key("job_ids");
  std::string conflicts;
  std::int64_t stored = 0;
  list += '[';
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const storage::EnqueueAnswer answer = results[i].answer;
    const bool taken = answer == storage::EnqueueAnswer::unique_conflict;
    const bool is_own = living && answer == storage::EnqueueAnswer::id_taken;
    const bool is_gone = is_own && !living->contains(ids[i]);
    if (i > 0) list += ',';
    append_quoted(list, taken ? results[i].existing.text() : ids[i].text());
    if (answer == storage::EnqueueAnswer::stored || (is_own && !is_gone)) {
      ++stored;
      continue;
    }
    if (!conflicts.empty()) conflicts += ',';
    ObjectWriter one(conflicts);
    one.number("index", static_cast<std::int64_t>(i));
    one.text("code", info(is_gone ? ErrorCode::job_deleted : code_of(answer)).wire);
  }
  list += ']';
  reply.number("stored", stored);
  reply.json("conflicts", "[" + conflicts + "]");
}

void reply_many(RequestContext& call, const std::vector<JobId>& ids, const Stored& stored,
                const std::optional<std::set<JobId>>& living) {
  std::string body;
  body.reserve(ids.size() * 40 + 64);
  append_many(body, ids, stored, living);
  call.reply(201, std::move(body));
}

void reply_repeat_of_many(const RequestPtr& call, const std::vector<JobId>& ids,
                          const Stored& stored) {
  call->read([call, ids, stored](storage::Reader& reader) {
    const auto found = reader.get(ids, false);
    if (!found) return call->fail(found.error());
    std::set<JobId> living;
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (found.value()[i].job) living.insert(ids[i]);
    reply_many(*call, ids, stored, living);
  });
}

void submit_many(const RequestPtr& call, std::vector<NewJob> jobs, bool is_repeat) {
  std::vector<JobId> ids;
  ids.reserve(jobs.size());
  for (const NewJob& job : jobs) ids.push_back(job.id);
  call->api.node().submit(
      std::move(jobs),
      call->on_loop<Stored>([call, ids = std::move(ids), is_repeat](Result<Stored> stored) {
        if (!stored) return call->fail(stored.error());
        if (is_repeat) return reply_repeat_of_many(call, ids, *stored);
        reply_many(*call, ids, *stored, std::nullopt);
      }));
}

void read_and_submit_many(const RequestPtr& call) {
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
  const SubmitTerms terms = submit_terms(*call);
  std::vector<NewJob> jobs;
  jobs.reserve(items.size());
  for (std::size_t i = 0; i < items.size() && faults.size() < 50; ++i)
    jobs.push_back(
        read_job(items[i], fmt::format("/jobs/{}", i), terms, call->api.node().ids(), faults));
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  once(call, std::move(jobs), [call](std::vector<NewJob> once_only, bool is_repeat) {
    submit_many(call, std::move(once_only), is_repeat);
  });
}

}  // namespace

void submit_job(RequestPtr call) {
  if (!call->allow_only({}) || !call->expects_json()) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  NewJob job = read_job(*body, "", submit_terms(*call), call->api.node().ids(), faults);
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  once(call, {std::move(job)}, [call](std::vector<NewJob> jobs, bool is_repeat) {
    NewJob one = jobs.front();
    call->api.node().submit(
        std::move(jobs),
        call->on_loop<Stored>([call, one = std::move(one), is_repeat](Result<Stored> done) {
          if (!done) return call->fail(done.error());
          const bool is_own = done->front().answer == storage::EnqueueAnswer::id_taken;
          if (is_repeat && is_own) return answer_repeat(call, one);
          answer_one(*call, one, done->front());
        }));
  });
}

void bulk_submit(RequestPtr call) {
  if (!call->allow_only({}) || !call->expects_json()) return;
  if (call->request.body.size() < parse_here_bytes) return read_and_submit_many(call);
  call->read([call](storage::Reader&) { read_and_submit_many(call); });
}

}  // namespace quell::http::handlers
