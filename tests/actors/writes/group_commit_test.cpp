// What goes into which commit, and who hears of it in which order.
#include "tests/actors/writes/group_commit_fixture.hpp"

namespace quell {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(GroupCommitTest, ABirthIsClaimedInItsOwnCommitAndTheForemanHearsFirst) {
  begin();
  permits(1);
  submit();
  settle();
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_THAT(batches[0].enqueues, SizeIs(1));
  EXPECT_THAT(batches[0].claims, SizeIs(1));
  EXPECT_THAT(words.order, ElementsAre("foreman: claimed", "asker: born"));
}

TEST_F(GroupCommitTest, WhatWaitsJoinsOneCommitAndEachAskerHasItsOwnAnswer) {
  begin();
  std::vector<storage::EnqueueAnswer> answers;
  for (int i = 0; i < 3; ++i) {
    auto ops = std::make_shared<storage::Batch>();
    NewJob job;
    job.id = ids.next();
    job.kind = "noop";
    if (i != 1) job.unique_key = "once";
    ops->enqueues.push_back({.job = std::move(job), .now = clock.now()});
    commits->write({std::move(ops), [&](const Result<storage::Outcome>& outcome) {
                      ASSERT_THAT(outcome->enqueues, SizeIs(1));
                      answers.push_back(outcome->enqueues[0].answer);
                    }});
  }
  settle();
  EXPECT_THAT(batches, SizeIs(1));
  EXPECT_THAT(answers, ElementsAre(storage::EnqueueAnswer::stored, storage::EnqueueAnswer::stored,
                                   storage::EnqueueAnswer::unique_conflict));
}

TEST_F(GroupCommitTest, AMarkIsToldToTheForemanBeforeItsAskerKnows) {
  begin();
  const JobId id = running();
  mark({id});
  settle();
  EXPECT_THAT(words.order, ElementsAre("foreman: stop", "deleter: marked"));
  EXPECT_EQ(words.of_foreman<StopMarked>()[0].runs[0].job, id);
}

TEST_F(GroupCommitTest, WhatGoesBesideAMarkIsInItsCommitAndItsAskerHearsBehindTheDeleter) {
  begin();
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back({.kind = "note", .id = "one", .body = "{}"});
  mark({running()}, 1, {std::move(ops), answer("noted")});
  settle();
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_THAT(batches[0].marks, SizeIs(1));
  EXPECT_THAT(batches[0].docs, SizeIs(1));
  EXPECT_THAT(words.order, ElementsAre("foreman: stop", "deleter: marked", "asker: noted"));
}

TEST_F(GroupCommitTest, NothingIsClaimedWhileMarksOfALargeCallWait) {
  begin();
  std::vector<JobId> gone(500);
  for (std::uint64_t call = 1; call <= 5; ++call) {
    for (JobId& id : gone) id = ids.next();
    mark(gone, call);
  }
  submit();
  permits(1);
  settle();
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_THAT(batches[0].marks, SizeIs(3));
  EXPECT_THAT(batches[0].claims, IsEmpty()) << "one of the others may name the job";
  EXPECT_THAT(batches[1].marks, SizeIs(2));
  EXPECT_THAT(batches[1].claims, SizeIs(1));
}

TEST_F(GroupCommitTest, OfTwoWordsOnARunTheFirstIsTheOneThatKnowsIt) {
  begin();
  const JobId id = running();
  mark({id});
  settle();
  write_verdict(id, Verdict::stopped, 1);
  write_verdict(id, Verdict::not_running, 0);
  settle();
  const auto& verdicts = std::get<JobsVerdict>(words.deleter.back()).verdicts;
  ASSERT_THAT(verdicts, SizeIs(2));
  EXPECT_EQ(verdicts[0].down->slots_freed, 1);
  EXPECT_EQ(verdicts[0].result.answer, storage::VerdictAnswer::erased);
  EXPECT_EQ(verdicts[1].down->slots_freed, 0);
  EXPECT_FALSE(state(id));
}

TEST_F(GroupCommitTest, TheForemanHearsThatItsVerdictIsWrittenBeforeTheDeleterHearsOfTheErase) {
  begin();
  const JobId id = running();
  mark({id});
  settle();
  forget_words();
  write_verdict(id, Verdict::stopped, 1);
  settle();
  EXPECT_THAT(words.order, ElementsAre("foreman: verdicts", "deleter: verdicts"));
}

TEST_F(GroupCommitTest, WithoutALeaseNothingIsClaimedAndEndsAreStillWritten) {
  begin();
  const JobId id = running();
  lease.end();
  submit();
  permits(1);
  ended(id);
  settle();
  EXPECT_THAT(batches.back().claims, IsEmpty());
  EXPECT_EQ(state(id), JobState::succeeded);
}

TEST_F(GroupCommitTest, OnlyPermitsThatNoClaimHasAreGivenBack) {
  begin(2);
  submit();
  settle();
  come_back(0);
  permits(3);
  settle();
  ASSERT_THAT(words.away, SizeIs(1)) << "a claim for all three";
  commits->recall_permits({"default", 3});
  EXPECT_THAT(words.of_foreman<PermitsBack>(), IsEmpty()) << "it waits for the claim";
  come_back(0);
  EXPECT_EQ(words.of_foreman<PermitsBack>().at(0).count, 2);
}

TEST_F(GroupCommitTest, AMarkWaitsForWhatIsOnItsWayAndGoesAlone) {
  begin(2);
  const JobId id = submit();
  settle();
  submit();
  settle();
  ASSERT_THAT(words.away, SizeIs(2)) << "births go beside each other";
  mark({id});
  settle();
  come_back(1);
  EXPECT_THAT(words.deleter, IsEmpty());
  come_back(0);
  ASSERT_THAT(words.deleter, SizeIs(1));
  const auto& marked = std::get<SliceMarked>(words.deleter[0]);
  EXPECT_EQ(marked.jobs->at(0).answer, storage::MarkAnswer::erased);
  EXPECT_THAT(words.away, IsEmpty());
}

TEST_F(GroupCommitTest, OrdersThatAReaderSawComeBehindTheClaimsThatWereBegunBefore) {
  begin(2);
  const JobId id = submit();
  settle();
  come_back(0);
  permits(1);
  settle();
  forget_words();
  const storage::Holder run{storage::HolderKind::run, id, context->self, 1};
  commits->pass_on({.holders = {{id, run}}, .cancel_requests = {}});
  EXPECT_THAT(words.order, IsEmpty());
  come_back(0);
  EXPECT_THAT(words.order, ElementsAre("foreman: claimed", "foreman: stop"));
}

TEST_F(GroupCommitTest, ABirthBesideAnEmptyClaimIsLookedForAgain) {
  begin(2);
  submit();
  settle();
  come_back(0);
  permits(2);
  settle();
  ASSERT_THAT(words.away, SizeIs(1)) << "claims the first, and would claim another";
  const auto claim = words.away.front();
  const auto early = writer()->apply(*claim.second);  // before the second birth is there
  words.away.clear();
  submit();
  settle();
  BatchApplied applied{claim.first, early};
  commits->applied_alongside(applied);
  settle();
  while (!words.away.empty()) come_back(0);
  std::size_t claimed = 0;
  for (const ClaimedJobs& word : words.of_foreman<ClaimedJobs>()) claimed += word.jobs.size();
  EXPECT_EQ(claimed, 2u);
}

TEST_F(GroupCommitTest, AFullRoundOfDueJobsIsFollowedByAnother) {
  begin();
  for (int i = 0; i < 501; ++i) submit(Millis{10});
  settle();
  ASSERT_THAT(words.dues, ElementsAre(Millis{10}));
  clock.ms += Millis{10};
  batches.clear();
  commits->due();
  settle();
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_THAT(batches[1].dues, SizeIs(1));
  EXPECT_THAT(words.dues, SizeIs(1)) << "nothing is left to wait for";
}

TEST_F(GroupCommitTest, AQueueThatItsLimitsHoldIsLookedAtLaterAndLater) {
  begin();
  commits->set_queue({.name = "default", .pool = "default", .limits = {.concurrency = 1}});
  permits(3);
  submit();
  submit();
  settle();
  EXPECT_THAT(words.of_foreman<ClaimedJobs>(), SizeIs(1));
  for (int i = 0; i < 3; ++i) {
    commits->look_at_limits();
    settle();
  }
  EXPECT_THAT(words.limit_looks, ElementsAre(Millis{50}, Millis{100}, Millis{200}, Millis{400}));
}

TEST_F(GroupCommitTest, UpkeepLooksAtTheQueuesOnlyWhereOthersWriteToo) {
  for (const bool is_shared : {false, true}) {
    begin(1, is_shared);
    for (int i = 0; i < 2; ++i) {  // until the queue is believed to be empty, and a slot is free
      permits(1);
      settle();
    }
    forget_words();
    storage::Batch of_another;
    NewJob job;
    job.id = ids.next();
    job.kind = "noop";
    of_another.enqueues.push_back({.job = std::move(job), .now = clock.now()});
    ASSERT_TRUE(writer()->apply(of_another).ok());
    commits->upkeep();
    settle();
    EXPECT_EQ(words.of_foreman<ClaimedJobs>().size(), is_shared ? 1u : 0u);
  }
  EXPECT_EQ(words.upkeeps, 4);
}

}  // namespace
}  // namespace quell
