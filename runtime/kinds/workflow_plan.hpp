// A workflow's args, read: which steps, in which order, and what each may refer to.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"

namespace quell {

struct WorkflowStep {
  std::string name, kind;
  nlohmann::json args;  // with references
  bool has_references = false;
  int retries = 0;  // beyond the first try, within one attempt of the job
  Millis backoff{1'000};
};

struct WorkflowPlan {
  nlohmann::json inputs;  // what `${args.…}` reads
  std::vector<WorkflowStep> steps;
  nlohmann::json result;  // with references; null: the last step's result
};

// Refuses what could only fail later: names twice, references to what comes later or is not there.
Result<WorkflowPlan> read_workflow(const std::string& args);

}  // namespace quell
