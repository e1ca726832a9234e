#include "runtime/kinds/workflow_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/bounded_json.hpp"
#include "runtime/base/name.hpp"
#include "runtime/kinds/arguments.hpp"
#include "runtime/task/references.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;
constexpr std::size_t most_steps = 100, longest_name = 64;
constexpr Millis backoff_max{std::chrono::hours{1}};

Error wrong(std::string sentence) {
  return Error{ErrorCode::invalid_field, std::move(sentence)};
}

// `${steps.NAME.body}` ends a name at its point.
bool is_step_name(std::string_view name) {
  return is_name(name) && name.size() <= longest_name && name.find('.') == std::string_view::npos;
}

Result<WorkflowStep> read_step(const Json& text, const std::string& where) {
  Arguments in("a step", text.dump(), where + ".");
  WorkflowStep step;
  step.name = in.needed_text("name");
  step.kind = in.needed_text("kind");
  const Json* args = in.value("args");
  step.args = args == nullptr ? Json::object() : *args;
  step.retries = static_cast<int>(in.integer("retries", 0, 0, 10));
  step.backoff = in.seconds("backoff_s", step.backoff, backoff_max);
  if (!step.name.empty() && !is_step_name(step.name))
    in.wrong(where + ".name must be 1 to 64 letters, digits, '_' or '-'");
  if (!step.args.is_object()) in.wrong(where + ".args must be a JSON object");
  // Its steps' references would be read as ours.
  if (step.kind == "workflow") in.wrong(where + ": a workflow cannot be a step of another");
  if (auto fine = in.verdict(); !fine) return fine.error();
  return step;
}

// `known`: how many steps are finished when the references are read.
Result<bool> check_references(const WorkflowPlan& plan, std::size_t known, const Json& value) {
  auto paths = references_in(value);
  if (!paths) return paths.error();
  for (const ReferencePath& path : *paths) {
    const std::string& root = path.front();
    const bool job = root == "job" && path.size() == 2 && (path[1] == "id" || path[1] == "attempt");
    if (job) continue;
    if (root == "args") {
      if (auto there = value_at(plan.inputs, path, 1); !there) return there.error();
      continue;
    }
    if (root != "steps" || path.size() < 2)
      return wrong("${" + to_string(path) +
                   "} must begin with steps.<name>, args or job.id or job.attempt");
    const auto end = plan.steps.begin() + static_cast<std::ptrdiff_t>(known);
    const bool earlier = std::any_of(
        plan.steps.begin(), end, [&](const WorkflowStep& step) { return step.name == path[1]; });
    if (!earlier)
      return wrong("${" + to_string(path) + "}: no step before it is named '" + path[1] + "'");
  }
  return !paths->empty();
}

Result<void> read_steps(const Json& list, WorkflowPlan& plan) {
  for (const Json& text : list) {
    const std::string where = fmt::format("args.steps[{}]", plan.steps.size());
    if (!text.is_object()) return wrong(where + " must be an object");
    auto step = read_step(text, where);
    if (!step) return step.error();
    for (const WorkflowStep& earlier : plan.steps)
      if (earlier.name == step->name)
        return wrong(where + ": another step is named '" + step->name + "' already");
    auto refers = check_references(plan, plan.steps.size(), step->args);
    if (!refers) return wrong(where + ": " + refers.error().detail);
    step->has_references = *refers;
    plan.steps.push_back(std::move(*step));
  }
  return {};
}

}  // namespace

Result<WorkflowPlan> read_workflow(const std::string& args) {
  WorkflowPlan plan;
  plan.inputs = json_from_outside(args.empty() ? "{}" : std::string_view(args));
  if (!plan.inputs.is_object())
    return wrong("the args of workflow must be a JSON object, nested at most 64 deep");
  const Json list = plan.inputs.value("steps", Json());
  plan.result = plan.inputs.value("result", Json());
  plan.inputs.erase("steps");
  plan.inputs.erase("result");
  if (!list.is_array() || list.empty() || list.size() > most_steps)
    return wrong(fmt::format("workflow needs args.steps, an array of 1 to {} steps", most_steps));
  if (auto fine = read_steps(list, plan); !fine) return fine.error();
  if (auto fine = check_references(plan, plan.steps.size(), plan.result); !fine)
    return wrong("args.result: " + fine.error().detail);
  return plan;
}

}  // namespace quell
