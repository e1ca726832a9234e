// Nodes, beats, recoveries and roles: who is alive, and what becomes of what the dead held.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Fleet);

TEST_P(Fleet, EachStartIsANewLife) {
  const NodeId node = new_id();
  for (std::int64_t life = 1; life <= 3; ++life) {
    const NodeLife started =
        apply_one(&Batch::starts, StartNodeOp{node, R"({"host":"h"})", now()}).starts.at(0);
    EXPECT_EQ(started, (NodeLife{node, life}));
  }
  const auto nodes = reader().nodes();
  ASSERT_EQ(nodes->size(), 3u);
  EXPECT_EQ(nodes->at(2).owner, (NodeLife{node, 3}));
  EXPECT_EQ(nodes->at(2).info, R"({"host":"h"})");
  EXPECT_EQ(nodes->at(2).beat, 0);
  EXPECT_FALSE(nodes->at(2).gone);
}

// Two directories with one node id: whoever cannot name the last start does not get the node.
TEST_P(Fleet, ANodeIsTakenOverOnlyByWhoKnowsItsLastBirth) {
  const NodeId node = new_id();
  const auto start = [&](const std::string& birth, std::vector<std::string> earlier) {
    const StartNodeOp op{node, "{}", now(), birth, std::move(earlier)};
    return apply_one(&Batch::starts, op).starts.at(0).life;
  };
  EXPECT_EQ(start("host boot first", {}), 1);
  EXPECT_EQ(start("host boot copy", {}), 0);
  EXPECT_EQ(start("host boot copy", {"host boot fir", "boot first", ""}), 0);
  EXPECT_TRUE(apply_one(&Batch::beats, BeatOp{{node, 1}}).beats.at(0).alive) << "nothing changed";
  EXPECT_EQ(start("host boot second", {"host boot lost", "host boot first"}), 2);
  EXPECT_EQ(start("host boot third", {"host boot first"}), 0);
}

TEST_P(Fleet, ABirthDoesNotTakeANodeThatWasBornWithout) {
  const NodeId node = new_id();
  apply_one(&Batch::starts, StartNodeOp{node, "{}", now()});
  const StartNodeOp op{node, "{}", now(), "host boot first", {"host boot earlier"}};
  EXPECT_EQ(apply_one(&Batch::starts, op).starts.at(0).life, 0);
}

TEST_P(Fleet, ABeatRisesAndMayChangeItsInfo) {
  BeatOp op{node_};
  EXPECT_TRUE(apply_one(&Batch::beats, op).beats.at(0).alive);
  op.info = R"({"pools":2})";
  EXPECT_TRUE(apply_one(&Batch::beats, op).beats.at(0).alive);
  const auto nodes = reader().nodes();
  EXPECT_EQ(nodes->at(0).owner, node_);
  EXPECT_EQ(nodes->at(0).beat, 2);
  EXPECT_EQ(nodes->at(0).info, R"({"pools":2})");
  EXPECT_EQ(nodes->at(1).beat, 0);
}

TEST_P(Fleet, AGoodbyeIsTheLastBeat) {
  BeatOp op{node_};
  op.goodbye = true;
  EXPECT_TRUE(apply_one(&Batch::beats, op).beats.at(0).alive);
  EXPECT_TRUE(reader().nodes()->at(0).gone);
  EXPECT_FALSE(apply_one(&Batch::beats, op).beats.at(0).alive);
  const NodeLife next = apply_one(&Batch::starts, StartNodeOp{node_.node, "{}", now()}).starts[0];
  EXPECT_EQ(next.life, node_.life + 1);
  EXPECT_FALSE(reader().nodes()->at(0).gone);
  EXPECT_TRUE(apply_one(&Batch::beats, BeatOp{next}).beats.at(0).alive);
}

TEST_P(Fleet, AnEarlierLifeOrAnUnknownNodeIsNotAlive) {
  held();
  apply_one(&Batch::starts, StartNodeOp{node_.node, "{}", now()});
  const BeatResult result = apply_one(&Batch::beats, BeatOp{node_}).beats.at(0);
  EXPECT_FALSE(result.alive);
  EXPECT_TRUE(result.orders.empty());
  EXPECT_EQ(result.running, 0);
  EXPECT_FALSE(apply_one(&Batch::beats, BeatOp{{new_id(), 1}}).beats.at(0).alive);
}

TEST_P(Fleet, ABeatBringsOrdersCancelsAndTheCensus) {
  const ClaimedJob runs = start(), wished = start(), marked = start();
  const auto [delivered, delivery_id] = delivering();
  steer(wished.job, JobEvent::cancel);
  mark(mark_op({marked.job, delivered}));
  apply_one(&Batch::claims, ClaimOp{view(submit(job("elsewhere"))).queue, 1, other_, now()});
  const BeatResult result = apply_one(&Batch::beats, BeatOp{node_}).beats.at(0);
  EXPECT_EQ(result.running, 2);
  EXPECT_EQ(result.cancel_requests,
            (std::vector<std::pair<JobId, int>>{{wished.job, wished.epoch}}));
  ASSERT_EQ(result.orders.size(), 2u);
  EXPECT_EQ(result.orders[0].first, marked.job);
  EXPECT_EQ(result.orders[0].second.what, HolderKind::run);
  EXPECT_EQ(result.orders[0].second.epoch, marked.epoch);
  EXPECT_EQ(result.orders[1].first, delivered);
  EXPECT_EQ(result.orders[1].second.what, HolderKind::delivery);
  EXPECT_EQ(result.orders[1].second.ref, delivery_id);
  const BeatResult others = apply_one(&Batch::beats, BeatOp{other_}).beats.at(0);
  EXPECT_EQ(others.running, 1);
  EXPECT_TRUE(others.orders.empty() && others.cancel_requests.empty());
  EXPECT_EQ(reader().running(node_)->size(), 2u);
  EXPECT_EQ(runs.epoch, 1);
}

TEST_P(Fleet, ARecoveryEndsALife) {
  EXPECT_EQ(recover().requeued, 0);
  EXPECT_FALSE(apply_one(&Batch::beats, BeatOp{node_}).beats.at(0).alive);
  EXPECT_TRUE(reader().nodes()->at(0).gone);
  EXPECT_FALSE(reader().nodes()->at(1).gone);
}

TEST_P(Fleet, ALostRunIsQueuedAgain) {
  const ClaimedJob run = start();
  const RecoverResult declared_dead = recover();
  EXPECT_EQ(declared_dead.requeued, 1);
  EXPECT_EQ(declared_dead.queues, std::vector<std::string>{view(run.job).queue});
  const JobView seen = view(run.job);
  EXPECT_EQ(seen.state, JobState::queued);
  EXPECT_EQ(seen.lost, 1);
  EXPECT_EQ(seen.attempt, 0) << "a loss is no attempt";
  EXPECT_EQ(seen.epoch, run.epoch);
  EXPECT_FALSE(seen.node.has_value());
  EXPECT_EQ(recover().requeued, 0);
}

TEST_P(Fleet, AJobLostTooOftenFails) {
  NodeLife life = node_;
  const JobId id = submit();
  for (int lost = 1; lost <= 3; ++lost) {
    const auto out = apply_one(&Batch::claims, ClaimOp{"default", 1, life, now()});
    ASSERT_EQ(out.claims.at(0).size(), 1u);
    EXPECT_EQ(out.claims[0][0].lost, lost - 1);
    EXPECT_EQ(out.claims[0][0].attempt, 1);
    life = apply_one(&Batch::starts, StartNodeOp{node_.node, "{}", now()}).starts.at(0);
    RecoverOp op = recover_op();
    op.below_life = life.life;
    const RecoverResult declared_dead = apply_one(&Batch::recoveries, op).recoveries.at(0);
    EXPECT_EQ(declared_dead.requeued, lost < 3 ? 1 : 0);
    EXPECT_EQ(declared_dead.failed, lost < 3 ? 0 : 1);
    EXPECT_EQ(declared_dead.queues.size(), lost < 3 ? 1u : 0u);
  }
  const JobView seen = view(id);
  EXPECT_EQ(seen.state, JobState::failed);
  EXPECT_EQ(seen.lost, 3);
  EXPECT_EQ(seen.error, R"({"code":"lost_too_often"})");
  EXPECT_EQ(seen.finished, now());
  EXPECT_EQ(seen.expires, in(1'000));
}

TEST_P(Fleet, WhatARecoveryEndsIsKeptForEverIfItSaysNoTime) {
  const ClaimedJob lost = start(), wished = start();
  steer(wished.job, JobEvent::cancel);
  RecoverOp op = recover_op();
  op.max_lost = 1;
  op.failed_expires = {};
  op.cancelled_expires = {};
  apply_one(&Batch::recoveries, op);
  EXPECT_EQ(state(lost.job), JobState::failed);
  EXPECT_EQ(view(lost.job).expires, std::nullopt);
  EXPECT_EQ(state(wished.job), JobState::cancelled);
  EXPECT_EQ(view(wished.job).expires, std::nullopt);
}

TEST_P(Fleet, ALostRunWithARequestedCancelIsCancelled) {
  const ClaimedJob run = start();
  steer(run.job, JobEvent::cancel);
  RecoverOp op = recover_op();
  op.max_lost = 1;
  const RecoverResult declared_dead = apply_one(&Batch::recoveries, op).recoveries.at(0);
  EXPECT_EQ(declared_dead.cancelled, 1);
  EXPECT_EQ(declared_dead.requeued + declared_dead.failed, 0);
  EXPECT_EQ(state(run.job), JobState::cancelled);
  EXPECT_EQ(view(run.job).expires, in(500)) << "as a cancelled one, not as a failed one";
  EXPECT_EQ(view(run.job).finished, now());
}

TEST_P(Fleet, ARecoveryGivesTheVerdictsOfTheDead) {
  const MarkedJob first = held(), second = held();
  const RecoverResult declared_dead =
      apply_one(&Batch::recoveries, recover_op(Verdict::lease_expired)).recoveries[0];
  ASSERT_EQ(declared_dead.erased.size(), 2u);
  EXPECT_EQ(declared_dead.erased[0].first, first.job);
  EXPECT_EQ(declared_dead.erased[0].second.answer, VerdictAnswer::erased);
  EXPECT_EQ(declared_dead.erased[0].second.delete_id, first.delete_id);
  EXPECT_EQ(declared_dead.erased[0].second.verdict, Verdict::lease_expired);
  EXPECT_EQ(declared_dead.erased[1].first, second.job);
  EXPECT_EQ(tomb(second.job)->verdict, Verdict::lease_expired);
  EXPECT_EQ(declared_dead.requeued, 0);
}

TEST_P(Fleet, AJobHeldByTheLivingTooIsNotErased) {
  // A run on the other node, and a delivery in flight here.
  const JobId ended = finished(JobEvent::exhaust);
  steer(ended, JobEvent::revive);
  const ClaimedJob run =
      apply_one(&Batch::claims, ClaimOp{view(ended).queue, 1, other_, now()}).claims[0].at(0);
  FinishOp op = finish_op(run, JobEvent::hand_over);
  op.deliveries = {delivery()};
  finish(op);
  claim_deliveries(5);
  apply_one(&Batch::claims, ClaimOp{view(ended).queue, 1, other_, now()});
  const MarkedJob marked = mark(ended);
  ASSERT_EQ(marked.open.size(), 2u);
  EXPECT_TRUE(recover().erased.empty());
  const TicketView left = ticket_of(ended);
  ASSERT_EQ(left.open.size(), 1u);
  EXPECT_EQ(left.open[0].owner, other_);
  EXPECT_EQ(verdict(ended, left.open[0], Verdict::stopped).answer, VerdictAnswer::erased);
}

TEST_P(Fleet, OnlyTheLivesBelowAreRecovered) {
  const ClaimedJob old_run = start();
  const NodeLife later = apply_one(&Batch::starts, StartNodeOp{node_.node, "{}", now()}).starts[0];
  const NewJob wanted = job("later");
  submit(wanted);
  apply_one(&Batch::claims, ClaimOp{"later", 1, later, now()});
  RecoverOp op = recover_op();
  op.below_life = later.life;
  EXPECT_EQ(apply_one(&Batch::recoveries, op).recoveries.at(0).requeued, 1);
  EXPECT_EQ(state(old_run.job), JobState::queued);
  EXPECT_EQ(state(wanted.id), JobState::running);
  EXPECT_TRUE(apply_one(&Batch::beats, BeatOp{later}).beats.at(0).alive);
}

TEST_P(Fleet, OtherNodesAreLeftAlone) {
  submit(job("theirs"));
  const auto out = apply_one(&Batch::claims, ClaimOp{"theirs", 1, other_, now()});
  const JobId theirs = out.claims.at(0).at(0).job;
  const MarkedJob mine = held();
  EXPECT_EQ(recover().erased.size(), 1u);
  EXPECT_EQ(state(theirs), JobState::running);
  EXPECT_EQ(state(mine.job), JobState::gone);
}

TEST_P(Fleet, AHundredLostRunsAtOnce) {
  submit_many(100);
  claim(100);
  const RecoverResult declared_dead = recover();
  EXPECT_EQ(declared_dead.requeued, 100);
  EXPECT_EQ(count("default", JobState::queued), 100);
  EXPECT_EQ(count("default", JobState::running), 0);
}

QUELL_STORE_GROUP(Role);

TEST_P(Role, AFreeRoleIsTakenAndRenewed) {
  RoleOp op{"janitor", node_};
  for (std::int64_t beat = 1; beat <= 3; ++beat) {
    const RoleResult result = apply_one(&Batch::roles, op).roles.at(0);
    EXPECT_EQ(result.holder, node_);
    EXPECT_EQ(result.beat, beat);
  }
}

TEST_P(Role, ATakenRoleIsOnlyLookedAt) {
  apply_one(&Batch::roles, RoleOp{"janitor", node_});
  for (int i = 0; i < 3; ++i) {
    const RoleResult result = apply_one(&Batch::roles, RoleOp{"janitor", other_}).roles.at(0);
    EXPECT_EQ(result.holder, node_);
    EXPECT_EQ(result.beat, 1);
  }
}

TEST_P(Role, ItIsTakenOverWhenItsHolderWasSeenToStandStill) {
  apply_one(&Batch::roles, RoleOp{"janitor", node_});
  RoleOp op{"janitor", other_};
  op.seen = std::pair(node_, std::int64_t{1});
  const RoleResult result = apply_one(&Batch::roles, op).roles.at(0);
  EXPECT_EQ(result.holder, other_);
  EXPECT_EQ(result.beat, 2);
  EXPECT_EQ(apply_one(&Batch::roles, RoleOp{"janitor", node_}).roles.at(0).holder, other_);
}

TEST_P(Role, AHolderThatMovedMeanwhileKeepsIt) {
  apply_one(&Batch::roles, RoleOp{"janitor", node_});
  apply_one(&Batch::roles, RoleOp{"janitor", node_});
  RoleOp op{"janitor", other_};
  op.seen = std::pair(node_, std::int64_t{1});
  EXPECT_EQ(apply_one(&Batch::roles, op).roles.at(0).holder, node_);
  op.seen = std::pair(NodeLife{node_.node, node_.life + 1}, std::int64_t{2});
  EXPECT_EQ(apply_one(&Batch::roles, op).roles.at(0).holder, node_);
}

TEST_P(Role, OfTwoThatSawTheSameTheFirstWins) {
  apply_one(&Batch::roles, RoleOp{"janitor", node_});
  const NodeLife third{new_id(), 1};
  Batch batch;
  batch.roles = {{"janitor", other_, std::pair(node_, std::int64_t{1})},
                 {"janitor", third, std::pair(node_, std::int64_t{1})}};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.roles.at(0).holder, other_);
  EXPECT_EQ(out.roles.at(1).holder, other_);
}

TEST_P(Role, RolesAreApartAndALaterLifeIsAnother) {
  apply_one(&Batch::roles, RoleOp{"janitor", node_});
  EXPECT_EQ(apply_one(&Batch::roles, RoleOp{"sealer", other_}).roles.at(0).holder, other_);
  const NodeLife later{node_.node, node_.life + 1};
  EXPECT_EQ(apply_one(&Batch::roles, RoleOp{"janitor", later}).roles.at(0).holder, node_);
}

}  // namespace
}  // namespace quell::storage
