#include "actors/deletes/delete_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "actors/deletes/delete_call.hpp"

namespace quell {
namespace {

JobId number(std::uint8_t n) {
  JobId id;
  id.bytes[15] = n;
  return id;
}

// What the store answered when the last holder of a running job was down.
storage::VerdictResult erased_as(Verdict verdict) {
  return {storage::VerdictAnswer::erased, {}, JobState::running, verdict};
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

using storage::Durability;
using storage::MarkAnswer;

class CallTest : public testing::Test {
 protected:
  DeleteCall make(std::vector<JobId> jobs, bool needs_replica = false) {
    DeleteRequest request;
    request.jobs = std::move(jobs);
    return DeleteCall(
        number(200), request, [](const auto&) {}, Instant{}, needs_replica);
  }
  bool gone(DeleteCall& call, JobId job, Verdict verdict, const RunDown* down = nullptr,
            Durability durability = Durability::local) {
    return call.erased(job, erased_as(verdict), down, Instant{}, durability);
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
  EXPECT_TRUE(gone(call, number(2), Verdict::stopped, &down));
  EXPECT_FALSE(gone(call, number(2), Verdict::stopped, &down));
  EXPECT_TRUE(call.settled());
  EXPECT_EQ(call.report().counts.slots_freed, 1u);
  EXPECT_EQ(call.report().counts.requested, 3u);
}

TEST_F(CallTest, CallsUnknownWhatNobodyKnows) {
  DeleteCall call = make({number(1)});
  call.marked({1, 0, 1, std::vector{marked(number(1), storage::MarkAnswer::held)}});
  gone(call, number(1), Verdict::process_died, nullptr);
  EXPECT_FALSE(call.report().outcomes.front().slots_freed);
  EXPECT_FALSE(call.report().outcomes.front().effects_aborted);
}

TEST_F(CallTest, NamesTheCopyOfEachJobWheneverItsRowsWent) {
  DeleteCall call = make({number(1), number(2), number(3)});
  storage::MarkedJob at_once = marked(number(1), storage::MarkAnswer::erased);
  at_once.copy_until = Instant{Millis{11}};
  call.marked({1, 0, 3,
               std::vector{at_once, marked(number(2), storage::MarkAnswer::held),
                           marked(number(3), storage::MarkAnswer::held)}});
  storage::VerdictResult later = erased_as(Verdict::stopped);
  later.copy_until = Instant{Millis{22}};
  call.erased(number(2), later, nullptr, Instant{}, Durability::local);
  gone(call, number(3), Verdict::stopped);
  const DeleteReport report = call.report();
  EXPECT_EQ(report.outcomes[0].copy_until, Instant{Millis{11}});
  EXPECT_EQ(report.outcomes[1].copy_until, Instant{Millis{22}});
  EXPECT_EQ(report.outcomes[2].copy_until, std::nullopt) << "no copy, and none is named";
  const auto signed_text = nlohmann::json::parse(receipt_payload(report, {}, AuditHead{}));
  EXPECT_EQ(signed_text["outcomes"][0]["copy_kept_until"], 11);
  EXPECT_EQ(signed_text["outcomes"][1]["copy_kept_until"], 22);
  EXPECT_TRUE(signed_text["outcomes"][2]["copy_kept_until"].is_null());
}

TEST(LateReport, NamesTheCopiesThatTheTombstonesTellOf) {
  storage::Tombstone with, without;
  with.job = number(1);
  without.job = number(2);
  with.copy_until = Instant{Millis{33}};
  const DeleteReport report = report_of({}, {with, without});
  EXPECT_EQ(report.outcomes[0].copy_until, Instant{Millis{33}});
  EXPECT_EQ(report.outcomes[1].copy_until, std::nullopt);
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
  gone(call, number(2), Verdict::stopped, nullptr);
  EXPECT_TRUE(call.only_stuck_left());
  EXPECT_EQ(call.report().outcomes[0].verdict, Verdict::stuck);
  gone(call, number(1), Verdict::stopped, nullptr);
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

TEST_F(CallTest, SignsTheLeastDurableOfItsCommits) {
  DeleteCall call = make({number(1), number(2), number(3)});
  call.marked(
      {1, 0, 1, std::vector{marked(number(1), MarkAnswer::erased)}, Durability::replicated});
  EXPECT_EQ(call.report().durability, Durability::replicated);
  call.marked(
      {1, 1, 2,
       std::vector{marked(number(2), MarkAnswer::held), marked(number(3), MarkAnswer::held)},
       Durability::local});
  EXPECT_EQ(call.report().durability, Durability::replicated) << "nothing rests on that mark yet";
  gone(call, number(2), Verdict::stopped, nullptr, Durability::local);
  gone(call, number(3), Verdict::stopped, nullptr, Durability::replicated);
  EXPECT_TRUE(call.settled());
  EXPECT_EQ(call.report().durability, Durability::local);
  const auto json = nlohmann::json::parse(receipt_payload(call.report(), {}));
  EXPECT_EQ(json.at("durability"), "local");
}

TEST_F(CallTest, ThatNeedsAReplicaIsPendingWithoutOne) {
  DeleteCall call = make({number(1), number(2), number(3)}, true);
  const auto held = call.marked(
      {1, 0, 3,
       std::vector{marked(number(1), MarkAnswer::erased), marked(number(2), MarkAnswer::held),
                   marked(number(3), MarkAnswer::already_gone, number(9))},
       Durability::local});
  EXPECT_EQ(held, (std::vector{number(1), number(2), number(3)}));
  call.erased_here_only(number(2));
  DeleteReport report = call.report();
  EXPECT_EQ(report.counts.pending, 3u);
  EXPECT_TRUE(report.outcomes[0].erase);
  EXPECT_TRUE(report.outcomes[1].erase);
  for (const JobOutcome& one : report.outcomes) EXPECT_FALSE(one.replicate);
  for (const int job : {1, 2, 3})
    gone(call, number(static_cast<std::uint8_t>(job)), Verdict::not_running, nullptr,
         Durability::replicated);
  EXPECT_TRUE(call.settled());
  report = call.report();
  EXPECT_EQ(report.counts.deleted, 2u);
  EXPECT_EQ(report.outcomes[2].fate, JobFate::already_gone) << "by another call";
  for (const JobOutcome& one : report.outcomes) EXPECT_TRUE(one.replicate);
  EXPECT_EQ(report.durability, Durability::replicated);
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
  const std::string text = receipt_payload(report, {});
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(text);
  EXPECT_TRUE(json.at("outcomes").at(0).at("slots_freed").is_null());
  EXPECT_EQ(json.at("outcomes").at(0).at("verdict"), "process_died");
  EXPECT_EQ(json.at("durability"), "local");
}

TEST(DeleteReport, MadeFromTombstonesSaysNothingOfWhatOnlyTheDeadProcessKnew) {
  IdSource ids(system_clock());
  storage::CallView call;
  call.delete_id = ids.next();
  storage::Tombstone tombstone;
  tombstone.job = ids.next();
  tombstone.was = JobState::running;
  tombstone.verdict = Verdict::process_died;
  const DeleteReport report = report_of(call, {tombstone});
  EXPECT_EQ(report.counts.killed, 1u);
  const std::string text = receipt_payload(report, {});
  for (const char* unknown : {"epoch", "slots_freed", "effects_aborted", "deliveries"})
    EXPECT_NE(text.find('"' + std::string(unknown) + "\":null"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("verdict":"process_died")"), std::string::npos) << text;
}

}  // namespace
}  // namespace quell
