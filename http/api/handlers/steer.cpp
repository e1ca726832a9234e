// Cancel and retry: moves that a person makes by hand, as the law of a job's life allows them.
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/job_request.hpp"
#include "http/api/views/json_writer.hpp"

namespace quell::http::handlers {

namespace {

using storage::SteerAnswer;
using storage::SteerResult;

std::string steered_json(JobId id, const SteerResult& result) {
  std::string out;
  {
    ObjectWriter view(out);
    view.text("job_id", id.text());
    view.text("status", to_string(result.state));
    view.flag("cancel_requested", result.answer == SteerAnswer::requested);
    view.text_or_null("queue", result.queue);
  }
  return out;
}

void answer_steered(RequestContext& call, JobId id, const SteerResult& result) {
  switch (result.answer) {
    case SteerAnswer::moved:
      return call.reply(200, steered_json(id, result));
    case SteerAnswer::requested: {
      // A running job is cancelled when its run is down, not before.
      Response response;
      response.status = 202;
      response.headers.emplace_back("Location", "/api/v1/jobs/" + id.text());
      response.headers.emplace_back("Retry-After", "1");
      response.body = steered_json(id, result);
      return call.reply(std::move(response));
    }
    case SteerAnswer::refused:
      return call.fail(Problem(ErrorCode::state_conflict,
                               "The job is " + std::string{to_string(result.state)} + ".")
                           .member("job_status", json_string(to_string(result.state))));
    case SteerAnswer::leaving: {
      Problem problem(ErrorCode::deletion_in_progress);
      if (result.delete_id) problem.member("delete_id", json_string(result.delete_id->text()));
      return call.fail(problem);
    }
    case SteerAnswer::gone:
      return call.fail({ErrorCode::job_deleted});
    case SteerAnswer::not_found:
      return call.fail({ErrorCode::job_not_found});
  }
}

void steer(const RequestPtr& call, JobId id, JobEvent event,
           std::function<void(const SteerResult&)> then) {
  storage::SteerOp op;
  op.job = id;
  op.event = event;
  op.who = call->principal.who();
  op.now = call->api.now();
  op.project = call->principal.project;
  call->api.node().steer(
      std::move(op),
      call->on_loop<SteerResult>([call, next = std::move(then)](Result<SteerResult> result) {
        if (!result) return call->fail(result.error());
        next(*result);
      }));
}

bool has_reason_at_most(RequestContext& call) {
  const std::optional<JsonValue> body = call.body();
  if (!body) return false;
  std::vector<FieldFault> faults;
  std::string reason;
  Fields fields(*body, "", faults);
  fields.text("reason", reason, 1024);
  fields.refuse_rest();
  if (faults.empty()) return true;
  call.fail(faults_problem(std::move(faults)));
  return false;
}

// Runs `then` unless the job is of a kind that this caller may not have run. Of one that is not
// there, or belongs to others, the steering itself tells.
void if_it_may_run(const RequestPtr& call, JobId id, std::function<void()> then) {
  call->read([call, id, next = std::move(then)](storage::Reader& reader) {
    const Result<std::vector<storage::Found>> found = reader.get({id}, true);
    if (!found) return call->fail(found.error());
    const std::optional<JobView>& job = found->front().job;
    const std::string& own = call->principal.project;
    if (job && (own.empty() || job->project == own)) {
      Node& node = call->api.node();
      const Result<void> allowed = may_run(node.registry(), job->kind, job->args,
                                           call->principal.scopes, node.settings().exec_enabled);
      if (!allowed) return call->fail(allowed.error());
    }
    call->post(next);
  });
}

}  // namespace

void cancel_job(RequestPtr call) {
  if (!call->allow_only({}) || !has_reason_at_most(*call)) return;
  const auto id = call->id(0, ErrorCode::job_not_found);
  if (!id) return;
  steer(call, *id, JobEvent::cancel,
        [call, id = *id](const SteerResult& result) { answer_steered(*call, id, result); });
}

// One verb for people: what ended badly is revived, what waits for its time runs now.
void retry_job(RequestPtr call) {
  if (!call->allow_only({}) || !has_reason_at_most(*call)) return;
  const auto id = call->id(0, ErrorCode::job_not_found);
  if (!id) return;
  if_it_may_run(call, *id, [call, id = *id] {
    steer(call, id, JobEvent::revive, [call, id](const SteerResult& result) {
      if (result.answer != SteerAnswer::refused || result.state != JobState::scheduled)
        return answer_steered(*call, id, result);
      steer(call, id, JobEvent::run_now,
            [call, id](const SteerResult& second) { answer_steered(*call, id, second); });
    });
  });
}

}  // namespace quell::http::handlers
