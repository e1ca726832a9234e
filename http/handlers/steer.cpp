// Cancel and retry: moves that a person makes by hand, as the law of a job's life allows them.
#include "http/door.hpp"
#include "http/handlers/handlers.hpp"
#include "http/json_writer.hpp"

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
    view.flag("cancel_requested", result.answer == SteerAnswer::wished);
    view.text_or_null("queue", result.queue);
  }
  return out;
}

void answer_steered(Call& call, JobId id, const SteerResult& result) {
  switch (result.answer) {
    case SteerAnswer::moved:
      return call.reply(200, steered_json(id, result));
    case SteerAnswer::wished: {
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

void steer(const CallPtr& call, JobId id, JobEvent event,
           std::function<void(const SteerResult&)> then) {
  storage::SteerOp op;
  op.job = id;
  op.event = event;
  op.who = call->principal.who();
  op.now = call->door.now();
  op.project = call->principal.project;
  if (event == JobEvent::cancel) op.expires = op.now + call->door.node().settings().keep_cancelled;
  call->door.node().steer(
      std::move(op),
      call->on_loop<SteerResult>([call, next = std::move(then)](Result<SteerResult> result) {
        if (!result) return call->fail(result.error());
        next(*result);
      }));
}

bool has_reason_at_most(Call& call) {
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

}  // namespace

void cancel_job(CallPtr call) {
  if (!call->only({}) || !has_reason_at_most(*call)) return;
  const auto id = call->id(0, ErrorCode::job_not_found);
  if (!id) return;
  steer(call, *id, JobEvent::cancel,
        [call, id = *id](const SteerResult& result) { answer_steered(*call, id, result); });
}

// One verb for people: what ended badly is revived, what waits for its time runs now.
void retry_job(CallPtr call) {
  if (!call->only({}) || !has_reason_at_most(*call)) return;
  const auto id = call->id(0, ErrorCode::job_not_found);
  if (!id) return;
  steer(call, *id, JobEvent::revive, [call, id = *id](const SteerResult& result) {
    if (result.answer != SteerAnswer::refused || result.state != JobState::scheduled)
      return answer_steered(*call, id, result);
    steer(call, id, JobEvent::run_now,
          [call, id](const SteerResult& second) { answer_steered(*call, id, second); });
  });
}

}  // namespace quell::http::handlers
