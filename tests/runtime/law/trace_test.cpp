// The trace and its checker: a whole life of a job is allowed, and each rule of the table refuses
// what it says.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "runtime/law/trace_check.hpp"

namespace quell {
namespace {

using Step = ProtocolStep;

const JobId job = *Uuid::parse("01890000-0000-7000-8000-000000000001");
const Uuid letter = *Uuid::parse("01890000-0000-7000-8000-000000000002");

constexpr Step protocol_steps[] = {
#define PROTOCOL_STEP(name, by, sentence) Step::name,
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_STEP
};

std::string faults_of(const std::vector<TracedStep>& steps) {
  TraceCheck check;
  std::string faults;
  for (const TracedStep& step : steps) faults += check.take(step);
  return faults;
}

std::vector<TracedStep> steps_of(std::initializer_list<Step> steps) {
  std::vector<TracedStep> all;
  for (const Step step : steps) all.push_back({step, job, 1});
  return all;
}

TracedStep of_letter(Step step) {
  return {step, job, 0, letter};
}

// Whatever a step needs is there, and nothing is open: what is refused then is refused by one rule.
TraceCheck after_everything() {
  TraceCheck check;
  for (const Step step : protocol_steps) check.take({step, job, 1});
  check.take({Step::life, {}});
  return check;
}

TEST(TraceCheck, AllowsAJobThatRunsToItsEnd) {
  EXPECT_EQ(faults_of(steps_of({Step::born, Step::claimed, Step::claim_told, Step::claim_heard,
                                Step::started, Step::down, Step::slot_back, Step::end_said})),
            "");
}

TEST(TraceCheck, AllowsADeleteOfARunningJob) {
  EXPECT_EQ(faults_of(steps_of({Step::born, Step::claimed, Step::claim_told, Step::claim_heard,
                                Step::started, Step::marked, Step::mark_told, Step::asker_told,
                                Step::mark_heard, Step::down, Step::slot_back, Step::verdict_said,
                                Step::weighed, Step::gone, Step::fence_gone, Step::answered})),
            "");
}

TEST(TraceCheck, AllowsADeleteOfADeliveryInFlight) {
  EXPECT_EQ(faults_of({of_letter(Step::delivery_known),
                       of_letter(Step::delivery_begun),
                       of_letter(Step::delivery_marked),
                       of_letter(Step::delivery_over),
                       of_letter(Step::delivery_weighed),
                       {Step::gone, job},
                       {Step::answered, job}}),
            "");
}

TEST(TraceCheck, AllowsEveryPrefixAndWhatFollowsAKill) {
  auto steps = steps_of({Step::claimed, Step::claim_told, Step::claim_heard, Step::started});
  steps.push_back({Step::life, {}});
  steps.push_back({Step::gone, job});
  steps.push_back({Step::answered, job});
  EXPECT_EQ(faults_of(steps), "");
}

TEST(TraceCheck, AllowsAnIdToBeBornAgain) {
  std::vector<TracedStep> steps = steps_of({Step::born, Step::gone, Step::born});
  for (const Step step : {Step::claimed, Step::claim_told, Step::claim_heard, Step::started})
    steps.push_back({step, job, 2});
  EXPECT_EQ(faults_of(steps), "");
}

TEST(TraceCheck, RefusesEachStepWithoutWhatItNeeds) {
  const auto expect_refused = [](Step step, const char* words) {
    TraceCheck check;
    EXPECT_EQ(check.take({step, job, 1}), words);
  };
#define PROTOCOL_NEEDS(step, earlier, scope) \
  expect_refused(Step::step, #step " without " #earlier " of the " #scope);
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_NEEDS
}

TEST(TraceCheck, RefusesEachStepBetweenWhatItMustNotComeBetween) {
  const auto expect_refused = [](Step step, Step begun, Step over, const std::string& words) {
    TraceCheck check = after_everything();
    check.take({begun, job, 1});
    EXPECT_EQ(TraceCheck(check).take({step, job, 1}), words);
    check.take({over, job, 1});
    EXPECT_NE(check.take({step, job, 1}), words);
  };
#define PROTOCOL_NEVER(step, begun, over, scope)      \
  expect_refused(Step::step, Step::begun, Step::over, \
                 #step " after " #begun " and before " #over " of the " #scope);
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_NEVER
}

TEST(TraceCheck, RefusesASecondTimeOfWhatIsDoneOnce) {
#define PROTOCOL_ONCE(step) EXPECT_EQ(after_everything().take({Step::step, job, 1}), "twice");
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_ONCE
}

TEST(TraceCheck, RefusesAnAnswerBeforeTheErase) {
  EXPECT_EQ(faults_of(steps_of({Step::marked, Step::answered})),
            "answered before the erase was committed");
}

TEST(TraceCheck, TakesEachJobByItself) {
  TraceCheck check;
  check.take({Step::claimed, letter, 1});
  EXPECT_NE(check.take({Step::claim_told, job, 1}), "");
}

// The steps of two processes in the order of the clock; `ends` says with which the first one ends.
std::string merged(std::initializer_list<std::pair<std::size_t, Step>> steps,
                   bool first_ends = false) {
  std::vector<MomentStep> all;
  std::uint64_t moment = 0;
  for (const auto& [process, step] : steps) {
    all.push_back({++moment, process, {step, job, 1}, false});
    if (first_ends && process == 0) all.back().ends = true;
  }
  std::reverse(all.begin(), all.end());  // files come one behind the other
  const TraceReport report = check_merged(all);
  EXPECT_EQ(report.steps, steps.size());
  return report.faults.empty() ? "" : report.faults[0].substr(0, report.faults[0].find(':'));
}

TEST(MergedTraces, RefuseWhatNoProcessMayDoBesideAnother) {
#define PROTOCOL_ACROSS(step, begun, over)                                              \
  EXPECT_EQ(merged({{0, Step::begun}, {1, Step::step}}),                                \
            #step " beside " #begun " and before " #over);                              \
  EXPECT_EQ(merged({{0, Step::begun}, {0, Step::over}, {1, Step::step}}), "") << #step; \
  EXPECT_EQ(merged({{0, Step::begun}, {0, Step::step}}), "") << "judged of each by itself";
#include "runtime/spec/protocol_steps.def"
#undef PROTOCOL_ACROSS
}

TEST(MergedTraces, LetWhatAProcessHadOpenEndWithItsLastLine) {
  EXPECT_EQ(merged({{0, Step::started}, {1, Step::gone}}, true), "");
  EXPECT_EQ(merged({{0, Step::gone}, {1, Step::started}}, true),
            "started beside gone and before born");
}

TEST(MergedTraces, AreReadFromTheLinesThatProcessesWrite) {
  std::istringstream lines(trace_line(7, {Step::started, job, 1}) + "\nno line\n" +
                           trace_line(9, {Step::down, job, 1}) + "\n8 foreman dow");
  const auto steps = moments_of(lines, 3);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].moment, 7U);
  EXPECT_FALSE(steps[0].ends);
  EXPECT_EQ(steps[1].step.step, Step::down);
  EXPECT_EQ(steps[1].process, 3U);
  EXPECT_TRUE(steps[1].ends);
}

TEST(Trace, ReadsWhatItWrites) {
  for (const Step step : protocol_steps) {
    const TracedStep one{step, job, 7, letter};
    const auto read = trace_step(trace_line(1, one));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(trace_line(1, *read), trace_line(1, one));
  }
}

TEST(Trace, NamesALineThatIsNone) {
  const std::string good = trace_line(1, {Step::started, job, 1});
  for (const std::string& bad :
       {std::string{}, good + " more", "1 clerk started" + good.substr(17),
        std::string("1 foreman flown ") + job.text() + " 1 " + letter.text()})
    EXPECT_FALSE(trace_step(bad).ok()) << bad;
}

TEST(Trace, IsWrittenInTheOrderOfTheCallsAndCheckedFromTheFile) {
  const std::string path = testing::TempDir() + "trace." +
                           std::to_string(::testing::UnitTest::GetInstance()->random_seed());
  std::remove(path.c_str());
  ASSERT_TRUE(traces::open(path).ok());
  trace(Step::claimed, job, 1);
  trace(Step::claim_told, job, 1);
  trace(Step::started, job, 1);
  ASSERT_TRUE(traces::open("").ok());
  trace(Step::down, job, 1);
  std::ofstream(path, std::ios::app) << "4 foreman dow";
  std::ifstream lines(path);
  const TraceReport report = check_trace(lines);
  EXPECT_EQ(report.steps, 3U);
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_EQ(report.faults[0].substr(0, 15), "started without");
  std::remove(path.c_str());
}

}  // namespace
}  // namespace quell
