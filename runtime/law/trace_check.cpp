#include "runtime/law/trace_check.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace quell {

namespace {

using Step = ProtocolStep;
enum class Within : std::uint8_t { same, job };

struct Needs {
  Step step, earlier;
  Within scope;
  const char* words;
};
constexpr std::array needs{
#define PROTOCOL_NEEDS(step, earlier, scope) \
  Needs{Step::step, Step::earlier, Within::scope, #step " without " #earlier " of the " #scope},
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_NEEDS
};

struct Never {
  Step step, begun, over;
  Within scope;
  const char* words;
};
constexpr std::array nevers{
#define PROTOCOL_NEVER(step, begun, over, scope)            \
  Never{Step::step, Step::begun, Step::over, Within::scope, \
        #step " after " #begun " and before " #over " of the " #scope},
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_NEVER
};

struct Across {
  Step step, begun, over;
  const char* words;
};
constexpr std::array acrosses{
#define PROTOCOL_ACROSS(step, begun, over) \
  Across{Step::step, Step::begun, Step::over, #step " beside " #begun " and before " #over},
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_ACROSS
};

constexpr std::array once{
#define PROTOCOL_ONCE(step) Step::step,
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_ONCE
};

constexpr std::array answers{
#define PROTOCOL_ANSWER(step) Step::step,
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_ANSWER
};

template <class Steps>
bool contains(const Steps& steps, Step step) {
  return std::find(steps.begin(), steps.end(), step) != steps.end();
}

template <class At, class Sets, class Key>
bool holds(const Sets& sets, At at, Within scope, const Key& key) {
  const auto found = sets.find(at);
  if (found == sets.end()) return false;
  return scope == Within::job ? !found->second.empty() : found->second.contains(key);
}

constexpr std::size_t faults_max = 10;

}  // namespace

std::string TraceCheck::fault_of(const TracedStep& step, const OfJob& job) const {
  const Key key{step.epoch, step.ref};
  for (const Needs& rule : needs)
    if (rule.step == step.step && !holds(job.done, rule.earlier, rule.scope, key))
      return rule.words;
  for (std::size_t i = 0; i < nevers.size(); ++i)
    if (nevers[i].step == step.step && holds(job.open, i, nevers[i].scope, key))
      return nevers[i].words;
  if (contains(once, step.step) && holds(job.done, step.step, Within::same, key)) return "twice";
  if (step.step == Step::answered && std::none_of(answers.begin(), answers.end(), [&](Step gone) {
        return job.done.contains(gone);
      }))
    return "answered before the erase was committed";
  return {};
}

void TraceCheck::note(const TracedStep& step, OfJob& job) {
  const Key key{step.epoch, step.ref};
  job.done[step.step].insert(key);
  for (std::size_t i = 0; i < nevers.size(); ++i) {
    if (nevers[i].begun == step.step) job.open[i].insert(key);
    if (nevers[i].over != step.step) continue;
    if (step.step == Step::born)
      job.open[i].clear();  // a new life of the id, whatever its epochs
    else
      job.open[i].erase(key);
  }
}

std::string TraceCheck::take(const TracedStep& step) {
  if (step.step == Step::life) {
    for (auto& [id, job] : jobs_) job.open.clear();
    return {};
  }
  OfJob& job = jobs_[step.job];
  std::string fault = fault_of(step, job);
  note(step, job);
  return fault;
}

TraceReport check_trace(std::istream& lines) {
  TraceReport report;
  TraceCheck check;
  std::string line;
  while (std::getline(lines, line)) {
    if (lines.eof()) break;
    const auto step = trace_step(line);
    std::string fault = step ? check.take(*step) : step.error().detail;
    ++report.steps;
    if (fault.empty() || report.faults.size() >= faults_max) continue;
    fault.append(": ").append(line);
    report.faults.push_back(std::move(fault));
  }
  return report;
}

namespace {

// What is open of one job, by rule; of whom, and of which run or delivery.
struct OpenAcross {
  std::size_t process = 0;
  std::int64_t epoch = 0;
  Uuid ref;
  auto operator<=>(const OpenAcross&) const = default;
};
using OfJobAcross = std::array<std::set<OpenAcross>, acrosses.size()>;

// An erase stays, whoever ended since; only a run or a request ends with its process.
bool ends_with_its_process(const Across& rule) {
  return rule.begun != Step::gone;
}

std::string take_across(const MomentStep& at, OfJobAcross& open) {
  std::string fault;
  const OpenAcross key{at.process, at.step.epoch, at.step.ref};
  for (std::size_t i = 0; i < acrosses.size(); ++i) {
    const Across& rule = acrosses[i];
    const auto beside = [&](const OpenAcross& one) { return one.process != at.process; };
    if (rule.step == at.step.step && std::any_of(open[i].begin(), open[i].end(), beside))
      fault = rule.words;
    if (rule.over == at.step.step && rule.over == Step::born) open[i].clear();
    if (rule.over == at.step.step) open[i].erase(key);
    if (rule.begun == at.step.step) open[i].insert(key);
  }
  return fault;
}

}  // namespace

std::vector<MomentStep> moments_of(std::istream& lines, std::size_t process) {
  std::vector<MomentStep> steps;
  std::string line;
  while (std::getline(lines, line) && !lines.eof()) {
    MomentStep at;
    at.process = process;
    const auto step = trace_step(line);
    const char* end = line.data() + line.size();
    if (!step || std::from_chars(line.data(), end, at.moment).ec != std::errc{}) continue;
    at.step = *step;
    steps.push_back(at);
  }
  if (!steps.empty()) steps.back().ends = true;
  return steps;
}

TraceReport check_merged(std::vector<MomentStep> steps) {
  std::stable_sort(steps.begin(), steps.end(),
                   [](const MomentStep& a, const MomentStep& b) { return a.moment < b.moment; });
  std::map<JobId, OfJobAcross> jobs;
  TraceReport report;
  for (const MomentStep& at : steps) {
    ++report.steps;
    if (at.step.step != Step::life) {
      std::string fault = take_across(at, jobs[at.step.job]);
      if (!fault.empty() && report.faults.size() < faults_max)
        report.faults.push_back(fault.append(": ").append(trace_line(at.moment, at.step)));
    }
    if (at.step.step != Step::life && !at.ends) continue;
    for (auto& [id, open] : jobs)  // a process ends, or a node begins anew in it
      for (std::size_t i = 0; i < acrosses.size(); ++i)
        if (ends_with_its_process(acrosses[i]))
          std::erase_if(open[i], [&](const OpenAcross& one) { return one.process == at.process; });
  }
  return report;
}

}  // namespace quell
