// A life that was called lost may be paused and not dead: until it is proven down, nobody may call
// the delete of what it held proven.
#include "storage/hints.hpp"
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

class DoubtTest : public StoreTest {
 protected:
  RecoverResult lose() {
    return apply_one(&Batch::recoveries, recover_op(Verdict::lease_expired)).recoveries.at(0);
  }
  void goodbye(const NodeLife& life) {
    BeatOp op{life};
    op.goodbye = true;
    apply_one(&Batch::beats, op);
  }
  std::vector<ClaimedJob> claim_elsewhere(JobId job) {
    return apply_one(&Batch::claims, ClaimOp{view(job).queue, 1, other_, now()}).claims.at(0);
  }
  // The same node starts again, which proves its earlier lives down.
  void restart() {
    const NodeLife next = apply_one(&Batch::starts, StartNodeOp{node_.node, "{}", now()}).starts[0];
    RecoverOp op = recover_op(Verdict::process_died);
    op.below_life = next.life;
    apply_one(&Batch::recoveries, op);
  }
};
class Doubt : public DoubtTest {};
INSTANTIATE_TEST_SUITE_P(Conformance, Doubt, testing::ValuesIn(store_factories()), name_of_store);

TEST_P(Doubt, ADeleteOfALostRunIsNotProven) {
  const ClaimedJob run = start();
  EXPECT_EQ(lose().requeued, 1);
  const MarkedJob marked = mark(run.job);
  EXPECT_EQ(marked.answer, MarkAnswer::erased);
  EXPECT_EQ(marked.verdict, Verdict::lease_expired);
  EXPECT_EQ(tomb(run.job)->verdict, Verdict::lease_expired);
}

TEST_P(Doubt, AJobThatNobodyLostIsProvenAtOnce) {
  const JobId id = submit();
  lose();
  EXPECT_EQ(mark(id).verdict, Verdict::not_running);
  EXPECT_EQ(tomb(id)->verdict, Verdict::not_running);
}

TEST_P(Doubt, ADeadProcessLeavesNone) {
  const ClaimedJob run = start();
  EXPECT_EQ(recover().requeued, 1);
  EXPECT_EQ(mark(run.job).verdict, Verdict::not_running);
}

TEST_P(Doubt, ALaterRunsVerdictIsNoProofForTheEarlierOne) {
  const ClaimedJob run = start();
  lose();
  ASSERT_EQ(claim_elsewhere(run.job).size(), 1u);
  const MarkedJob marked = mark(run.job);
  ASSERT_EQ(marked.answer, MarkAnswer::held);
  const VerdictResult result = verdict(run.job, marked.open.at(0), Verdict::stopped);
  EXPECT_EQ(result.answer, VerdictAnswer::erased);
  EXPECT_EQ(result.verdict, Verdict::lease_expired);
  EXPECT_EQ(tomb(run.job)->verdict, Verdict::lease_expired);
}

TEST_P(Doubt, ItEndsWhenTheNodeStartsAgain) {
  const ClaimedJob run = start();
  lose();
  restart();
  EXPECT_EQ(mark(run.job).verdict, Verdict::not_running);
}

TEST_P(Doubt, ItEndsBetweenMarkAndVerdictToo) {
  const ClaimedJob run = start();
  lose();
  claim_elsewhere(run.job);
  const MarkedJob marked = mark(run.job);
  restart();
  EXPECT_EQ(verdict(run.job, marked.open.at(0), Verdict::stopped).verdict, Verdict::stopped);
}

TEST_P(Doubt, TheLostLifeItselfMayEndItByItsGoodbye) {
  const ClaimedJob run = start();
  lose();
  EXPECT_FALSE(apply_one(&Batch::beats, BeatOp{node_}).beats.at(0).alive);
  goodbye({node_.node, node_.life + 1});
  goodbye(other_);
  goodbye(node_);
  EXPECT_EQ(mark(run.job).verdict, Verdict::not_running);
}

TEST_P(Doubt, AnothersGoodbyeEndsNothing) {
  const ClaimedJob run = start();
  lose();
  goodbye({node_.node, node_.life + 1});
  goodbye(other_);
  EXPECT_EQ(mark(run.job).verdict, Verdict::lease_expired);
}

TEST_P(Doubt, ItStaysWithAJobThatEndedElsewhere) {
  const ClaimedJob run = start();
  lose();
  finish(claim_elsewhere(run.job).at(0), JobEvent::succeed);
  ASSERT_EQ(state(run.job), JobState::succeeded);
  EXPECT_EQ(mark(run.job).verdict, Verdict::lease_expired);
}

TEST_P(Doubt, AFailedOrCancelledLossKeepsItToo) {
  const ClaimedJob failed = start(), cancelled = start();
  steer(cancelled.job, JobEvent::cancel);
  RecoverOp op = recover_op(Verdict::lease_expired);
  op.max_lost = 1;
  const RecoverResult result = apply_one(&Batch::recoveries, op).recoveries.at(0);
  EXPECT_EQ(result.failed, 1);
  EXPECT_EQ(result.cancelled, 1);
  EXPECT_EQ(mark(failed.job).verdict, Verdict::lease_expired);
  EXPECT_EQ(mark(cancelled.job).verdict, Verdict::lease_expired);
}

TEST_P(Doubt, ADeliveryTakenBackMayStillArrive) {
  const auto [job, id] = delivering();
  EXPECT_EQ(lose().deliveries, 1);
  const MarkedJob marked = mark(job);
  EXPECT_EQ(marked.answer, MarkAnswer::erased);
  EXPECT_EQ(marked.deliveries_removed, 1);
  EXPECT_EQ(marked.verdict, Verdict::lease_expired);
}

TEST_P(Doubt, ADeliveryOfADeadProcessCannot) {
  const auto [job, id] = delivering();
  EXPECT_EQ(recover().deliveries, 1);
  EXPECT_EQ(mark(job).verdict, Verdict::not_running);
}

TEST_P(Doubt, TwoLostLivesMustBothBeProvenDown) {
  const ClaimedJob run = start();
  lose();
  claim_elsewhere(run.job);
  RecoverOp op = recover_op(Verdict::lease_expired);
  op.node = other_.node;
  op.below_life = other_.life + 1;
  EXPECT_EQ(apply_one(&Batch::recoveries, op).recoveries.at(0).requeued, 1);
  goodbye(node_);
  const MarkedJob marked = mark(run.job);
  EXPECT_EQ(marked.verdict, Verdict::lease_expired) << "the other one is still in doubt";
}

QUELL_STORE_GROUP(Watched);

TEST_P(Watched, ARecoveryOfWhatHasMovedChangesNothing) {
  const ClaimedJob run = start();
  RecoverOp op = recover_op(Verdict::lease_expired);
  op.if_beat = 0;
  apply_one(&Batch::beats, BeatOp{node_});
  const RecoverResult late = apply_one(&Batch::recoveries, op).recoveries.at(0);
  EXPECT_FALSE(late.done);
  EXPECT_EQ(late.requeued, 0);
  EXPECT_EQ(state(run.job), JobState::running);
  EXPECT_TRUE(apply_one(&Batch::beats, BeatOp{node_}).beats.at(0).alive);
  op.if_beat = 2;
  EXPECT_TRUE(apply_one(&Batch::recoveries, op).recoveries.at(0).done);
  EXPECT_EQ(state(run.job), JobState::queued);
  EXPECT_FALSE(apply_one(&Batch::beats, BeatOp{node_}).beats.at(0).alive);
}

TEST_P(Watched, ANewLifeIsNotTheOneThatWasWatched) {
  RecoverOp op = recover_op(Verdict::lease_expired);
  op.if_beat = 0;
  const NodeLife next = apply_one(&Batch::starts, StartNodeOp{node_.node, "{}", now()}).starts[0];
  EXPECT_FALSE(apply_one(&Batch::recoveries, op).recoveries.at(0).done);
  EXPECT_TRUE(apply_one(&Batch::beats, BeatOp{next}).beats.at(0).alive);
}

TEST_P(Watched, OrdersAreReadWithoutABeat) {
  const ClaimedJob wished = start(), marked = start();
  const auto [delivered, id] = delivering();
  steer(wished.job, JobEvent::cancel);
  mark(mark_op({marked.job, delivered}));
  const auto orders = reader().orders(node_);
  ASSERT_TRUE(orders.ok());
  ASSERT_EQ(orders->holders.size(), 2u);
  EXPECT_EQ(orders->holders[0].first, marked.job);
  EXPECT_EQ(orders->holders[0].second.epoch, marked.epoch);
  EXPECT_EQ(orders->holders[1].second.ref, id);
  EXPECT_EQ(orders->cancel_requests,
            (std::vector<std::pair<JobId, int>>{{wished.job, wished.epoch}}));
  EXPECT_TRUE(reader().orders(other_)->holders.empty());
  EXPECT_EQ(reader().nodes()->at(0).beat, 0);
}

QUELL_STORE_GROUP(Hinted);

TEST_P(Hinted, OwnersElsewhereHearOfAMarkAndARequestedCancel) {
  const ClaimedJob marked = start(), wished = start();
  Batch batch;
  batch.marks.push_back(mark_op({marked.job}));
  batch.steers.push_back({.job = wished.job, .event = JobEvent::cancel, .who = "w", .now = now()});
  const std::vector<std::string> expected{"orders:" + node_.node.text()};
  EXPECT_EQ(hints_of(batch, apply(batch)), expected);
}

TEST_P(Hinted, NobodyIsToldOfWhatHeWroteHimself) {
  const ClaimedJob marked = start();
  Batch batch;
  batch.writer = node_.node;
  batch.marks.push_back(mark_op({marked.job}));
  EXPECT_TRUE(hints_of(batch, apply(batch)).empty());
}

TEST_P(Hinted, AnEraseThatSomebodyElsewhereWaitsForIsTold) {
  const MarkedJob one = held(), two = held();
  Batch batch;
  batch.verdicts.push_back(verdict_op(one.job, one.open.at(0), Verdict::stopped));
  EXPECT_TRUE(hints_of(batch, apply(batch)).empty());
  batch.verdicts[0] = verdict_op(two.job, two.open.at(0), Verdict::stopped);
  batch.verdicts[0].tell_others = true;
  EXPECT_EQ(hints_of(batch, apply(batch)), std::vector<std::string>{"erased"});
}

TEST_P(Hinted, WorkIsToldOnlyWhenItWasNotAllTaken) {
  Batch batch;
  for (int i = 0; i < 3; ++i) batch.enqueues.push_back(submit_op(job()));
  batch.claims.push_back(claim_op(2));
  EXPECT_EQ(hints_of(batch, apply(batch)), std::vector<std::string>{"queue:default"});
  batch.enqueues = {submit_op(job())};
  batch.claims = {claim_op(5)};
  EXPECT_TRUE(hints_of(batch, apply(batch)).empty());
}

TEST(Hints, AreOneTextAndBackWithoutQueuesWhenItIsLong) {
  const std::vector<std::string> hints{"docs", "erased", "queue:aaaa", "queue:bbbb"};
  EXPECT_EQ(split_hints(join_hints(hints, 8'000)), hints);
  EXPECT_EQ(join_hints(hints, 22), "docs\nerased\nqueue:aaaa");
  EXPECT_EQ(split_hints(join_hints(hints, 13)), (std::vector<std::string>{"docs", "erased"}));
  EXPECT_TRUE(split_hints("").empty());
}

}  // namespace
}  // namespace quell::storage
