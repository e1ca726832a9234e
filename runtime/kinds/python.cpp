#include "runtime/kinds/python.hpp"

#include "runtime/base/bounded_json.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;

Result<void> check_call(const std::string& args) {
  const Json call = json_of_ours(args);
  const auto wrong = [](const char* what) { return Error{ErrorCode::invalid_field, what}; };
  if (!call.is_object() || !call.contains("task") || !call["task"].is_string())
    return wrong("args.task must be the name of a task.");
  if (call.contains("args") && !call["args"].is_object() && !call["args"].is_array())
    return wrong("args.args must be an object of named arguments, or a list.");
  for (const auto& [name, value] : call.items())
    if (name != "task" && name != "args") return wrong("args has task and args, nothing else.");
  return {};
}

JobError failure_of(const Forked& ended) {
  const ForkedWords& words = ended.words;
  if (const std::string how = ended.how_it_was_lost(); !how.empty())
    return JobError("process-lost", "The task's process ended with " + how + ".");
  std::optional<Millis> after;
  if (words.after) after = Millis{static_cast<std::int64_t>(*words.after * 1000)};
  return JobError(words.code.empty() ? "python-error" : words.code, words.error, words.retries,
                  after);
}

Task python_task(JobContext job, ForkedAppPtr app) {
  Json spec = job.args();
  spec["job"] = job.id().text();
  spec["attempt"] = job.attempt();
  Forked ended = co_await run_forked(job, app, "python", spec);
  if (ended.words.state != "SUCCESS") throw failure_of(ended);
  co_return ended.words.result;
}

}  // namespace

Kind python_kind(ForkedAppPtr app) {
  Kind kind;
  kind.run = [app = std::move(app)](JobContext job) { return python_task(job, app); };
  kind.scope = "jobs:write";
  kind.sentence = "Runs a Python function of the server's own modules in a process of its own.";
  kind.check = [](const std::string& args) { return check_call(args); };
  return kind;
}

}  // namespace quell
