#include "actors/delete_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "actors/delete_call.hpp"

namespace quell {
namespace {

JobId number(std::uint8_t n) {
  JobId id;
  id.bytes[15] = n;
  return id;
}

TEST(CountsAs, TellsWhatAJobWasAndWhyItIsDown) {
  EXPECT_EQ(counts_as(JobState::queued, Verdict::not_running), CountsAs::dequeued);
  EXPECT_EQ(counts_as(JobState::scheduled, Verdict::not_running), CountsAs::dequeued);
  EXPECT_EQ(counts_as(JobState::running, Verdict::not_started), CountsAs::dequeued);
  EXPECT_EQ(counts_as(JobState::running, Verdict::stopped), CountsAs::killed);
  EXPECT_EQ(counts_as(JobState::running, Verdict::reaped), CountsAs::killed);
  EXPECT_EQ(counts_as(JobState::running, Verdict::process_died), CountsAs::killed);
  EXPECT_EQ(counts_as(JobState::running, Verdict::finished_first), CountsAs::finished_first);
  EXPECT_EQ(counts_as(JobState::succeeded, Verdict::not_running), CountsAs::at_rest);
  EXPECT_EQ(counts_as(JobState::failed, Verdict::stopped), CountsAs::at_rest) << "a delivery";
  EXPECT_EQ(counts_as(JobState::failed, Verdict::finished_first), CountsAs::at_rest);
  EXPECT_EQ(counts_as(JobState::queued, Verdict::stopped), CountsAs::dequeued) << "a delivery";
  EXPECT_EQ(counts_as(JobState::scheduled, Verdict::finished_first), CountsAs::dequeued);
  for (const JobState was : {JobState::queued, JobState::running, JobState::succeeded}) {
    EXPECT_EQ(counts_as(was, Verdict::lease_expired), CountsAs::unproven);
    EXPECT_EQ(counts_as(was, Verdict::not_confirmed), CountsAs::unproven);
  }
}

TEST(Counts, AddUpForEveryMixOfFates) {
  std::vector<JobOutcome> outcomes;
  for (const JobFate fate : {JobFate::deleted, JobFate::already_gone, JobFate::not_found,
                             JobFate::pending, JobFate::failed, JobFate::would_delete})
    for (const Verdict verdict : {Verdict::stopped, Verdict::not_running, Verdict::lease_expired,
                                  Verdict::finished_first}) {
      JobOutcome one;
      one.fate = fate;
      one.was = JobState::running;
      one.verdict = verdict;
      one.slots_freed = verdict == Verdict::stopped ? 1 : 0;
      outcomes.push_back(one);
      const DeleteCounts counts = count(outcomes, outcomes.size());
      EXPECT_TRUE(add_up(counts));
    }
  const DeleteCounts counts = count(outcomes, 99);
  EXPECT_EQ(counts.requested, 99u);
  EXPECT_EQ(counts.deleted, 4u);
  EXPECT_EQ(counts.killed, 1u);
  EXPECT_EQ(counts.unproven, 1u);
  EXPECT_EQ(counts.already_gone, 8u);
}

TEST(Counts, GiveASlotToTheFirstCallerOnly) {
  JobOutcome one;
  one.fate = JobFate::deleted;
  one.was = JobState::running;
  one.verdict = Verdict::stopped;
  one.slots_freed = 1;
  EXPECT_EQ(count({one}, 1).slots_freed, 1u);
  one.joined = true;
  EXPECT_EQ(count({one}, 1).slots_freed, 0u);
}

class CallTest : public testing::Test {
 protected:
  DeleteCall make(std::vector<JobId> jobs) {
    DeleteRequest request;
    request.jobs = std::move(jobs);
    return DeleteCall(
        number(200), request, [](const auto&) {}, Instant{});
  }
  storage::MarkedJob marked(JobId job, storage::MarkAnswer answer, DeleteId by = number(200)) {
    storage::MarkedJob one;
    one.job = job;
    one.answer = answer;
    one.was = JobState::running;
    one.delete_id = by;
    return one;
  }
};

TEST_F(CallTest, FoldsDuplicatesAndIsSettledWhenTheLastJobIsGone) {
  DeleteCall call = make({number(1), number(2), number(1)});
  EXPECT_EQ(call.jobs().size(), 2u);
  const auto held = call.marked({1, 0, 2,
                                 std::vector{marked(number(1), storage::MarkAnswer::erased),
                                             marked(number(2), storage::MarkAnswer::held)}});
  EXPECT_EQ(held, std::vector{number(2)});
  EXPECT_FALSE(call.settled());
  RunDown down;
  down.slots_freed = 1;
  EXPECT_TRUE(call.erased(number(2), JobState::running, Verdict::stopped, &down, Instant{}));
  EXPECT_FALSE(call.erased(number(2), JobState::running, Verdict::stopped, &down, Instant{}));
  EXPECT_TRUE(call.settled());
  EXPECT_EQ(call.report().counts.slots_freed, 1u);
  EXPECT_EQ(call.report().counts.requested, 3u);
}

TEST_F(CallTest, CallsUnknownWhatNobodyKnows) {
  DeleteCall call = make({number(1)});
  call.marked({1, 0, 1, std::vector{marked(number(1), storage::MarkAnswer::held)}});
  call.erased(number(1), JobState::running, Verdict::process_died, nullptr, Instant{});
  EXPECT_FALSE(call.report().outcomes.front().slots_freed);
  EXPECT_FALSE(call.report().outcomes.front().effects_aborted);
}

TEST_F(CallTest, TakesItsOwnEarlierMarkForItsOwnAndAnothersForAnothers) {
  DeleteCall call = make({number(1), number(2), number(3)});
  const auto held =
      call.marked({1, 0, 3,
                   std::vector{marked(number(1), storage::MarkAnswer::already_gone),
                               marked(number(2), storage::MarkAnswer::joined),
                               marked(number(3), storage::MarkAnswer::already_gone, number(9))}});
  EXPECT_EQ(held, (std::vector{number(1), number(2)}));
  const DeleteReport report = call.report();
  EXPECT_EQ(report.outcomes[0].fate, JobFate::pending);
  EXPECT_FALSE(report.outcomes[1].joined);
  EXPECT_EQ(report.outcomes[2].fate, JobFate::already_gone);
}

TEST_F(CallTest, SaysThatOnlyStuckRunsAreLeft) {
  DeleteCall call = make({number(1), number(2)});
  call.marked({1, 0, 2,
               std::vector{marked(number(1), storage::MarkAnswer::held),
                           marked(number(2), storage::MarkAnswer::held)}});
  call.stuck(number(1));
  call.stuck(number(1));
  EXPECT_FALSE(call.only_stuck_left());
  call.erased(number(2), JobState::running, Verdict::stopped, nullptr, Instant{});
  EXPECT_TRUE(call.only_stuck_left());
  EXPECT_EQ(call.report().outcomes[0].verdict, Verdict::stuck);
  call.erased(number(1), JobState::running, Verdict::stopped, nullptr, Instant{});
  EXPECT_TRUE(call.settled());
  EXPECT_FALSE(call.only_stuck_left());
}

TEST_F(CallTest, ReportsAStoresRefusalPerJob) {
  DeleteCall call = make({number(1), number(2)});
  call.marked({1, 0, 2, Error{ErrorCode::store_unavailable, "away"}});
  EXPECT_TRUE(call.settled());
  EXPECT_EQ(call.report().counts.failed, 2u);
  EXPECT_EQ(call.report().outcomes[1].error->detail, "away");
}

TEST(Receipt, IsOneLineOfJsonThatSaysNullForUnknown) {
  DeleteReport report;
  JobOutcome one;
  one.job = number(1);
  one.fate = JobFate::deleted;
  one.was = JobState::running;
  one.verdict = Verdict::process_died;
  report.outcomes = {one};
  report.counts = count(report.outcomes, 1);
  const std::string text = receipt_payload(report, {}, "local");
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(text);
  EXPECT_TRUE(json.at("outcomes").at(0).at("slots_freed").is_null());
  EXPECT_EQ(json.at("outcomes").at(0).at("verdict"), "process_died");
  EXPECT_EQ(json.at("durability"), "local");
}

TEST(DeleteReport, MadeFromGravesSaysNothingOfWhatOnlyTheDeadProcessKnew) {
  IdSource ids(system_clock());
  storage::CallView call;
  call.delete_id = ids.next();
  storage::Tombstone grave;
  grave.job = ids.next();
  grave.was = JobState::running;
  grave.verdict = Verdict::process_died;
  const DeleteReport report = report_of(call, {grave});
  EXPECT_EQ(report.counts.killed, 1u);
  const std::string text = receipt_payload(report, {}, "local");
  for (const char* unknown : {"epoch", "slots_freed", "effects_aborted", "deliveries"})
    EXPECT_NE(text.find('"' + std::string(unknown) + "\":null"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("verdict":"process_died")"), std::string::npos) << text;
}

}  // namespace
}  // namespace quell
