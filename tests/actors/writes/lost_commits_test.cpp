// Commits that fail, or whose answer is lost.
#include "tests/actors/writes/group_commit_fixture.hpp"

namespace quell {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto refuse = storage::CommitFate::Kind::refuse;
constexpr auto lose = storage::CommitFate::Kind::commit_and_lose_answer;

TEST_F(GroupCommitTest, ARefusedBirthIsItsAskersToRepeat) {
  begin();
  fates = {refuse};
  const JobId id = submit();
  settle();
  EXPECT_THAT(words.order, ElementsAre("asker: born failed"));
  commits->commit();
  EXPECT_FALSE(state(id)) << "nobody repeats it here";
}

TEST_F(GroupCommitTest, ARefusedEndIsKeptAndGoesBeforeWhatCameLater) {
  begin();
  const JobId first = running(), second = running();
  fates = {refuse};
  ended(first);
  settle();
  EXPECT_THAT(words.of_foreman<FinishesWritten>(), IsEmpty());
  EXPECT_THAT(words.retries, ElementsAre(Millis{100}));
  ended(second);
  settle();
  ASSERT_THAT(batches.back().finishes, SizeIs(2));
  EXPECT_EQ(batches.back().finishes[0].job, first);
  EXPECT_EQ(words.of_foreman<FinishesWritten>().at(0).runs.size(), 2u);
}

TEST_F(GroupCommitTest, AnEndWhoseAnswerWasLostIsWrittenOnceAndLeavesTheBooks) {
  begin();
  const JobId id = running();
  fates = {lose};
  ended(id);
  settle();
  EXPECT_EQ(state(id), JobState::succeeded);
  EXPECT_THAT(words.of_foreman<FinishesWritten>(), IsEmpty()) << "nobody knows yet";
  commits->commit();
  const auto written = words.of_foreman<FinishesWritten>();
  ASSERT_THAT(written, SizeIs(1));
  EXPECT_FALSE(written[0].runs[0].written) << "the second time there was nothing left to write";
}

TEST_F(GroupCommitTest, AClaimWhoseAnswerWasLostIsFoundByACensus) {
  begin();
  submit();
  settle();
  forget_words();
  fates = {lose};
  permits(1);
  settle();
  EXPECT_THAT(words.of_foreman<ClaimedJobs>(), IsEmpty());
  commits->commit();
  const auto census = words.of_foreman<CensusTaken>();
  ASSERT_THAT(census, SizeIs(1));
  EXPECT_THAT(census[0].running, SizeIs(1));
  commits->recall_permits({"default", 5});
  EXPECT_EQ(words.of_foreman<PermitsBack>().at(0).count, 1) << "its permit came back, once";
}

TEST_F(GroupCommitTest, AMarkWhoseAnswerWasLostReachesTheForemanByTheNextBeat) {
  begin();
  const JobId id = running();
  fates = {lose};
  mark({id});
  settle();
  EXPECT_THAT(words.order, ElementsAre("deleter: marked"));
  EXPECT_FALSE(std::get<SliceMarked>(words.deleter[0]).jobs.ok());
  commits->commit();
  const auto stops = words.of_foreman<StopMarked>();
  ASSERT_THAT(stops, SizeIs(1));
  EXPECT_EQ(stops[0].runs[0].job, id);
  EXPECT_TRUE(stops[0].from_elsewhere);
}

TEST_F(GroupCommitTest, BehindALostAnswerTheNextDueTimeIsAskedFor) {
  begin();
  fates = {lose};
  submit(Millis{30'000});
  settle();
  EXPECT_THAT(words.dues, IsEmpty());
  commits->commit();
  EXPECT_THAT(words.dues, ElementsAre(Millis{30'000}));
}

TEST_F(GroupCommitTest, ARetryWaitsLongerEachTimeAndShortAgainAfterASuccess) {
  begin();
  const JobId id = running();
  fates = {refuse, refuse, refuse, refuse, refuse, refuse, refuse};
  ended(id);
  settle();
  for (int i = 0; i < 7; ++i) commits->commit();
  fates = {refuse};
  ended(ids.next());
  settle();
  EXPECT_THAT(words.retries, ElementsAre(Millis{100}, Millis{200}, Millis{400}, Millis{800},
                                         Millis{1'600}, Millis{2'000}, Millis{2'000}, Millis{100}));
}

TEST_F(GroupCommitTest, AReceiptIsWrittenUntilTheStoreTakesIt) {
  begin();
  fates = {refuse};
  auto ops = std::make_shared<storage::Batch>();
  ops->calls.push_back({ids.next(), "{}", "signed"});
  commits->write({std::move(ops), {}});
  settle();
  commits->commit();
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_EQ(batches[1].calls.at(0).receipt, "signed");
}

TEST_F(GroupCommitTest, ARefusalMakesTheStoresHistoryDoubtful) {
  int doubts = 0;
  context->doubt_history = [&](const std::string&) { ++doubts; };
  begin();
  fates = {refuse};
  submit();
  settle();
  EXPECT_EQ(doubts, 1);
}

TEST_F(GroupCommitTest, WhatOneWriterLostIsWrittenAgainWhileTheOtherGoesOn) {
  begin(2);
  const JobId first = ids.next(), second = ids.next();
  ended(first);
  settle();
  ended(second);
  settle();
  ASSERT_THAT(words.away, SizeIs(2));
  come_back(0, true);
  EXPECT_THAT(words.retries, SizeIs(1));
  come_back(0);
  std::vector<JobId> written;
  for (const FinishesWritten& word : words.of_foreman<FinishesWritten>())
    for (const auto& run : word.runs) written.push_back(run.job);
  EXPECT_THAT(written, ElementsAre(second, first));
}

}  // namespace
}  // namespace quell
