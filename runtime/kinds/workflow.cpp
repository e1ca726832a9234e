#include <algorithm>

#include "runtime/base/bounded_json.hpp"
#include "runtime/kinds/standard.hpp"
#include "runtime/kinds/workflow_plan.hpp"
#include "runtime/task/references.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;
constexpr Millis wait_max{std::chrono::hours{1}};
constexpr std::size_t most_kept_bytes = std::size_t{64} << 20;  // of the results of all steps

std::string written(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A result of a step or of the job so far. Whoever wrote it, it is read within bounds.
Json read_json(const std::string& text, const char* what) {
  if (text.empty()) return {};
  Json json = json_of_ours(text);
  if (json.is_discarded())
    throw JobError("invalid-field",
                   std::string(what) + " is no JSON, or nested too deep to be passed on", false);
  return json;
}

// The job as one of its steps sees it: own args, a slice of the progress, names of its own.
class StepHost final : public JobHost {
 public:
  StepHost(JobHost& job, std::string name, std::string args, double from, double to)
      : job_(job), name_(std::move(name)), args_(std::move(args)), from_(from), to_(to) {}

  JobId job_id() const override { return job_.job_id(); }
  int attempt() const override { return job_.attempt(); }
  const std::string& args_text() const override { return args_; }
  const std::string& project() const override { return job_.project(); }
  bool has_steps() const override { return job_.has_steps(); }
  std::string step_prefix() const override { return job_.step_prefix() + name_ + "/"; }
  const Registry& registry() const override { return job_.registry(); }
  const SettingValues& settings() const override { return job_.settings(); }
  std::shared_ptr<EffectSlot> begin(EffectRequest request) override {
    return job_.begin(std::move(request));
  }
  void let_go(EffectSlot& slot) override { job_.let_go(slot); }
  void consumed(EffectSlot& slot) override { job_.consumed(slot); }
  void progress(double fraction, std::string phase) override {
    const double part = from_ + (to_ - from_) * std::clamp(fraction, 0.0, 1.0);
    job_.progress(part, phase.empty() ? name_ : name_ + ": " + phase);
  }
  void partial(std::string json) override {
    const Json tagged{{"step", name_}, {"partial", json_of_ours(json)}};
    if (!tagged["partial"].is_discarded()) job_.partial(written(tagged));
  }
  void log(std::string level, std::string text) override {
    job_.log(std::move(level), name_ + ": " + text);
  }
  void usage(std::string json) override { job_.usage(std::move(json)); }
  const std::string& used() const override { return job_.used(); }

 private:
  JobHost& job_;
  const std::string name_, args_;
  const double from_, to_;
};

// What is remembered of a finished step. The usage goes with it, so that a retry that resumes
// behind it does not forget what it had cost.
class StepRecord {
 public:
  StepRecord(std::string result, std::string used)
      : result_(std::move(result)), used_(std::move(used)) {}
  const std::string& result() const { return result_; }
  const std::string& used() const { return used_; }
  std::string json() const {
    return written(Json{{"result", read_json(result_, "the step's result")},
                        {"used", read_json(used_, "what the step used")}});
  }
  static StepRecord from_json(const std::string& text) {
    const Json json = read_json(text, "what is remembered of the step");
    const Json& used = json.at("used");
    return StepRecord(written(json.at("result")), used.is_null() ? std::string() : written(used));
  }

 private:
  std::string result_, used_;
};

JobError in_step(const std::string& name, const JobError& error) {
  return JobError(error.code(), "step " + name + ": " + error.detail(), error.retryable(),
                  error.retry_after());
}

JobError refused(const std::string& why) {
  return JobError("invalid-field", why, false);
}

// Where a step stands in the whole.
class StepTurn {
 public:
  StepTurn(WorkflowStep step, std::string args, std::size_t n, std::size_t of)
      : step_(std::move(step)), args_(std::move(args)), n_(n), of_(of) {}
  const WorkflowStep& step() const { return step_; }
  const std::string& args() const { return args_; }
  double from() const { return static_cast<double>(n_) / static_cast<double>(of_); }
  double to() const { return static_cast<double>(n_ + 1) / static_cast<double>(of_); }

 private:
  WorkflowStep step_;
  std::string args_;
  std::size_t n_, of_;
};

Async<std::string> run_once(JobContext job, const StepTurn& turn) {
  const Kind* kind = job.host().registry().find(turn.step().kind);
  if (kind == nullptr) throw refused("no kind is named " + turn.step().kind);
  StepHost host(job.host(), turn.step().name, turn.args(), turn.from(), turn.to());
  Task body = kind->run(JobContext(host));
  std::string result = co_await body;
  co_return result;
}

Async<StepRecord> run_step(JobContext job, const StepTurn& turn) {
  const WorkflowStep& step = turn.step();
  const Result<void> fine = job.host().registry().check(step.kind, turn.args());
  if (!fine) throw in_step(step.name, refused(fine.error().detail));
  job.progress(turn.from(), step.name);
  Millis backoff = step.backoff;
  for (int tries = 0;; ++tries) {
    std::optional<std::string> result;
    Millis wait = backoff;
    try {
      result = co_await run_once(job, turn);
    } catch (const JobError& error) {
      if (!error.retryable() || tries >= step.retries) throw in_step(step.name, error);
      wait = error.retry_after().value_or(backoff);
      job.log("step " + step.name + " is tried again: " + error.detail(), "warning");
    }
    if (result) co_return StepRecord(*result, job.host().used());
    co_await job.sleep(std::min(wait, wait_max));
    backoff = std::min(backoff * 2, wait_max);
  }
}

Json filled(const JobContext& job, const WorkflowPlan& plan, const Json& results,
            const Json& value) {
  const Json attempt(job.attempt()), id(job.id().text());
  auto full = substituted(value, [&](const ReferencePath& path) -> Result<const Json*> {
    if (path.front() == "args") return value_at(plan.inputs, path, 1);
    if (path.front() == "steps") return value_at(results, path, 1);
    return path.back() == "attempt" ? &attempt : &id;
  });
  if (!full) throw refused(full.error().detail);
  return std::move(*full);
}

Task workflow(JobContext job) {
  Result<WorkflowPlan> read = read_workflow(job.args_text());
  if (!read) throw refused(read.error().detail);
  const WorkflowPlan plan = std::move(read).value();
  Json results = Json::object();
  std::size_t kept = 0;
  const std::size_t count = plan.steps.size();
  for (std::size_t n = 0; n < count; ++n) {
    const WorkflowStep& step = plan.steps[n];
    const StepTurn turn(step, written(filled(job, plan, results, step.args)), n, count);
    bool ran = false;
    auto run = [&] { return ran = true, run_step(job, turn); };
    StepRecord record = co_await job.step(step.name, run);
    if (!ran && !record.used().empty()) job.usage(record.used());
    kept += record.result().size();
    if (kept > most_kept_bytes) throw refused("the steps' results are more than 64 MiB together");
    results[step.name] = read_json(record.result(), "the step's result");
    job.progress(turn.to());
  }
  if (!plan.result.is_null()) co_return written(filled(job, plan, results, plan.result));
  co_return written(results[plan.steps.back().name]);
}

std::vector<NestedKind> nested_in(const std::string& args) {
  std::vector<NestedKind> nested;
  const auto plan = read_workflow(args);
  if (!plan) return nested;
  for (const WorkflowStep& step : plan->steps) {
    NestedKind one;
    one.where = "steps." + step.name;
    one.kind = step.kind;
    one.args = step.args.dump();
    one.args_are_final = !step.has_references;
    nested.push_back(std::move(one));
  }
  return nested;
}

}  // namespace

Kind workflow_kind() {
  Kind kind;
  kind.run = workflow;
  kind.sentence =
      "Runs named steps of other kinds in order; a retry goes on behind the last finished step.";
  kind.check = [](const std::string& args) -> Result<void> {
    auto plan = read_workflow(args);
    if (!plan) return plan.error();
    return {};
  };
  kind.nested = nested_in;
  return kind;
}

}  // namespace quell
