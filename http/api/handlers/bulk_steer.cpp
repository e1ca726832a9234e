// Cancel and retry of many jobs: of ids in one transaction, with an outcome for each; of a filter
// as an operation.
#include <fmt/format.h>

#include <map>

#include "http/api/api_server.hpp"
#include "http/api/handlers/by_filter.hpp"
#include "http/api/job_request.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"

namespace quell::http::handlers {

namespace {

using storage::SteerAnswer;

constexpr std::size_t read_at_once = 50;  // with their arguments, which may be large

struct Steering {
  RequestPtr call;
  bool cancels = false;
  std::vector<JobId> jobs;              // distinct
  std::map<JobId, Error> refused = {};  // before anything was tried
  std::map<JobId, JobState> states = {};
  std::vector<JobId> tried = {};
};

std::string_view outcome_of(const Steering& steering, SteerAnswer answer) {
  switch (answer) {
    case SteerAnswer::moved:
      return steering.cancels ? "cancelled" : "retried";
    case SteerAnswer::requested:
      return "requested";
    case SteerAnswer::refused:
      return "refused";
    case SteerAnswer::leaving:
    case SteerAnswer::gone:
      return "gone";
    case SteerAnswer::not_found:
      return "not_found";
  }
  return "not_found";
}

void answer_steered(const Steering& steering, const std::vector<storage::SteerResult>& results) {
  std::map<JobId, const storage::SteerResult*> of;
  for (std::size_t i = 0; i < results.size(); ++i) of[steering.tried[i]] = &results[i];
  std::map<std::string_view, std::int64_t> counts{{steering.cancels ? "cancelled" : "retried", 0},
                                                  {"refused", 0},
                                                  {"gone", 0},
                                                  {"not_found", 0},
                                                  {"requested", 0}};
  std::string outcomes;
  append_list(outcomes, steering.jobs, [&](std::string& out, const JobId& job) {
    ObjectWriter one(out);
    one.text("job_id", job.text());
    const auto fault = steering.refused.find(job);
    const auto result = of.find(job);
    const std::string_view outcome = fault != steering.refused.end()
                                         ? std::string_view{"refused"}
                                         : outcome_of(steering, result->second->answer);
    counts[outcome] += 1;
    one.text("outcome", outcome);
    if (fault != steering.refused.end()) {
      one.json("problem", problem_json(fault->second));
    } else if (outcome != "gone" && outcome != "not_found") {
      one.text("status", to_string(result->second->state));
    }
  });
  std::string out;
  {
    ObjectWriter view(out);
    view.number("requested", static_cast<std::int64_t>(steering.jobs.size()));
    {
      ObjectWriter sums(view.key("counts"));
      for (const auto& [name, n] : counts) sums.number(name, n);
    }
    view.json("outcomes", outcomes);
  }
  steering.call->reply(counts["requested"] > 0 ? 202 : 200, std::move(out));
}

void write(const std::shared_ptr<Steering>& steering) {
  const RequestPtr& call = steering->call;
  const Instant now = call->api.now();
  storage::Batch batch;
  for (const JobId& job : steering->jobs) {
    if (steering->refused.count(job) > 0) continue;
    storage::SteerOp op;
    op.job = job;
    op.event = steering->cancels ? JobEvent::cancel : JobEvent::revive;
    const auto state = steering->states.find(job);
    if (!steering->cancels && state != steering->states.end() &&
        state->second == JobState::scheduled)
      op.event = JobEvent::run_now;
    op.who = call->principal.who();
    op.now = now;
    op.project = call->principal.project;
    if (steering->cancels)
      op.expires =
          expires_at(RetentionRules::of(call->api.node().settings()), JobState::cancelled, now);
    batch.steers.push_back(std::move(op));
    steering->tried.push_back(job);
  }
  if (batch.steers.empty()) return answer_steered(*steering, {});
  call->api.node().write(std::move(batch), call->on_loop<storage::Outcome>(
                                               [steering](const Result<storage::Outcome>& outcome) {
                                                 if (!outcome)
                                                   return steering->call->fail(outcome.error());
                                                 answer_steered(*steering, outcome->steers);
                                               }));
}

// Who may not have a job run at all may not have it run again.
void look_whether_they_may_run(const std::shared_ptr<Steering>& steering) {
  steering->call->read([steering](storage::Reader& reader) {
    const RequestPtr& call = steering->call;
    Node& node = call->api.node();
    for (std::size_t first = 0; first < steering->jobs.size(); first += read_at_once) {
      const auto from = steering->jobs.begin() + static_cast<std::ptrdiff_t>(first);
      const auto count = std::min(read_at_once, steering->jobs.size() - first);
      const auto found = reader.get({from, from + static_cast<std::ptrdiff_t>(count)}, true);
      if (!found) return call->fail(found.error());
      for (const storage::Found& one : *found) {
        const std::string& own = call->principal.project;
        if (!one.job || (!own.empty() && one.job->project != own)) continue;
        steering->states[one.job->id] = one.job->state;
        const Result<void> allowed = may_run(node.registry(), one.job->kind, one.job->args,
                                             call->principal.scopes, node.settings().exec_enabled);
        if (!allowed) steering->refused.emplace(one.job->id, allowed.error());
      }
    }
    call->post([steering] { write(steering); });
  });
}

void steer_many(const RequestPtr& call, OperationVerb verb) {
  if (!call->allow_only({})) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  if (fields.has("filter")) return begin_by_filter(call, verb, *body);
  auto steering = std::make_shared<Steering>();
  steering->call = call;
  steering->cancels = verb == OperationVerb::cancel;
  std::vector<JsonValue> items;
  std::string reason;
  fields.require("job_ids");
  if (fields.array("job_ids", items) && items.empty())
    fields.wrong("job_ids", "At least one id is needed.");
  fields.text("reason", reason, 1024);
  fields.refuse_rest();
  if (static_cast<std::int64_t>(items.size()) > call->api.settings().ids_max)
    return call->fail({ErrorCode::too_many_ids});
  std::map<JobId, bool> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::optional<std::string> text = items[i].string();
    const std::optional<Uuid> id = text ? Uuid::parse(*text) : std::nullopt;
    if (!id)
      fields.wrong("job_ids", fmt::format("Item {} is not an id; ids are UUIDs.", i));
    else if (seen.emplace(*id, true).second)
      steering->jobs.push_back(*id);
  }
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  if (steering->cancels) return write(steering);
  look_whether_they_may_run(steering);
}

}  // namespace

void bulk_cancel(RequestPtr call) {
  steer_many(call, OperationVerb::cancel);
}

void bulk_retry(RequestPtr call) {
  steer_many(call, OperationVerb::retry);
}

}  // namespace quell::http::handlers
