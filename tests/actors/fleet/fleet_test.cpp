// What two nodes on one store owe each other: orders, replies, runs that ended, and a node that is
// dead.
#include "tests/actors/fleet/two_nodes.hpp"

namespace quell {
namespace {

// ---- webhooks ----
// The answer to a commit takes its time, and meanwhile another node deletes and this one's Janitor
// looks. What a reader saw must not overtake what the commit has brought.
TEST_F(FleetTest, AWebhookClaimedBesideADeleteEndsBeforeItsReply) {
  std::shared_ptr<std::optional<DeleteReport>> report;
  JobId id = ids.next();
  stores[0]->on_commit([&](const storage::Batch& batch) {
    storage::CommitFate fate;
    if (batch.writer != node_ids[0] || batch.delivery_claims.empty() || report) return fate;
    fate.committed = [&] {
      report = ask_to_erase(1, {id});
      run_alone(1);
      tell(nodes[0]->context().janitor, SweepTickets{});
      run_alone(0);
    };
    return fate;
  });
  auto ops = std::make_shared<storage::Batch>();
  storage::EnqueueOp op;
  op.job.id = id;
  op.job.kind = "one";
  op.job.run_at = clock.now() + Millis{3'600'000};
  op.now = clock.now();
  op.deliveries.push_back({ids.next(), "", "job.created", "{}", clock.now()});
  ops->enqueues.push_back(std::move(op));
  tell(nodes[0]->context().clerk, WriteOps{std::move(ops), {}});
  nodes[0]->effects.manner = StageEffects::Manner::late;
  run();
  ASSERT_TRUE(report) << "nobody claimed the delivery";
  hear(1, {"erased"});
  EXPECT_FALSE(*report && nodes[0]->effects.has(id)) << "the reply came, and the webhook goes on";
  nodes[0]->effects.let_aborted_ones_end();
  run();
  hear(1, {"erased"});
  ASSERT_TRUE(*report);
  EXPECT_EQ((*report)->counts.deleted, 1u);
  EXPECT_EQ((*report)->outcomes.front().verdict, Verdict::stopped);
  EXPECT_FALSE(nodes[0]->effects.has(id));
  stores[0]->on_commit({});
}

// ---- routing ----
TEST_F(FleetTest, AHintBringsADeleteToTheNodeThatRunsTheJobAndTheReceiptBack) {
  const JobId id = running_on(0);
  const auto report = erase(1, id);
  EXPECT_FALSE(*report) << "nobody has told the holder yet";
  hear(0, {"orders:" + node_ids[0].text()});
  EXPECT_FALSE(nodes[0]->effects.has(id));
  hear(1, {"erased"});
  ASSERT_TRUE(*report);
  EXPECT_EQ((*report)->counts.deleted, 1u);
  EXPECT_EQ((*report)->counts.unproven, 0u);
  EXPECT_EQ((*report)->outcomes.front().verdict, Verdict::stopped);
}

TEST_F(FleetTest, WithoutAHintTheNextLookBringsTheDelete) {
  const JobId id = running_on(0);
  const auto report = erase(1, id);
  pass(Millis{2'000});
  ASSERT_TRUE(*report);
  EXPECT_EQ((*report)->counts.deleted, 1u);
  EXPECT_FALSE(nodes[0]->effects.has(id));
}

// Held by a node that does not answer: more than one look takes in.
TEST_F(FleetTest, ADeleteIsAnsweredHoweverManyOthersWaitForSomebodyElse) {
  settings.pools = {{"default", 12}};
  nodes[0].reset();
  begin(0);
  run();
  std::vector<JobId> silent, runs;
  storage::Batch claim;
  for (int i = 0; i < 1'200; ++i) {
    storage::EnqueueOp op;
    op.job.id = ids.next();
    op.job.kind = "one";
    op.now = clock.now();
    silent.push_back(op.job.id);
    claim.enqueues.push_back(std::move(op));
  }
  claim.claims.push_back({"default", 1'200, storage::NodeLife{ids.next(), 1}, clock.now()});
  auto writer = std::move(stores[1]->open_writer()).value();
  ASSERT_TRUE(writer->apply(claim).ok());
  for (int i = 0; i < 12; ++i) runs.push_back(running_on(0));
  const auto waits = erase(1, silent), report = erase(1, runs);
  pass(Millis{4'000});
  EXPECT_FALSE(*waits);
  ASSERT_TRUE(*report) << "each of them went in the first second";
  EXPECT_EQ((*report)->counts.deleted, 12u);
}

TEST_F(FleetTest, ALargeCallSaysOfEachSliceWhichItIs) {
  std::vector<JobId> unknown;
  for (int i = 0; i < 1'100; ++i) unknown.push_back(ids.next());
  std::set<std::pair<int, int>> slices;
  stores[0]->on_commit([&](const storage::Batch& batch) {
    for (const storage::MarkOp& mark : batch.marks) slices.emplace(mark.slice, mark.slices);
    return storage::CommitFate{};
  });
  EXPECT_TRUE(*erase(0, unknown));
  EXPECT_EQ(slices, (std::set<std::pair<int, int>>{{0, 3}, {1, 3}, {2, 3}}));
}

TEST_F(FleetTest, ACancelOfAnotherNodesRunIsFoundByLooking) {
  const JobId id = running_on(0);
  auto ops = std::make_shared<storage::Batch>();
  storage::SteerOp cancel{
      .job = id, .event = JobEvent::cancel, .who = "tester", .now = clock.now()};
  cancel.expires = clock.now() + Millis{86'400'000};
  ops->steers.push_back(std::move(cancel));
  tell(nodes[1]->context().clerk, WriteOps{std::move(ops), {}});
  run();
  EXPECT_TRUE(runs_on(id, 0));
  pass(Millis{2'000});
  EXPECT_EQ(job(id)->state, JobState::cancelled);
}

TEST_F(FleetTest, AQueuePausedByAnotherNodeStartsNothingHere) {
  QueueView view;
  view.name = "default";
  view.paused = true;
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(Steering::queue_doc(view));
  tell(nodes[1]->context().clerk, WriteOps{std::move(ops), {}});
  run();
  hear(0, {"docs"});
  ops = std::make_shared<storage::Batch>();
  storage::EnqueueOp op;
  op.job.id = ids.next();
  op.job.kind = "one";
  op.now = clock.now();
  const JobId id = op.job.id;
  ops->enqueues.push_back(std::move(op));
  tell(nodes[0]->context().clerk, WriteOps{std::move(ops), {}});
  run();
  EXPECT_EQ(job(id)->state, JobState::queued);
}

// ---- runs that ended while a delete was on its way ----
TEST_F(FleetTest, ARunThatEndedBeforeTheOrderCameHasFinishedAndWasNotTakenFromTheQueue) {
  const JobId id = running_on(0);
  const auto report = erase(1, id);
  ASSERT_TRUE(nodes[0]->effects.end(id));
  run();  // its finish finds the mark and is not written
  hear(0, {"orders:" + node_ids[0].text()});
  hear(1, {"erased"});
  ASSERT_TRUE(*report);
  EXPECT_EQ((*report)->outcomes.front().verdict, Verdict::finished_first);
  EXPECT_EQ((*report)->counts.finished_first, 1u);
  EXPECT_EQ((*report)->counts.dequeued, 0u) << "it had made its call";
}

TEST_F(FleetTest, WithoutAHintTheRenewalAsksAndIsToldThatTheRunHadFinished) {
  const JobId id = running_on(0);
  const auto report = erase(1, id);
  ASSERT_TRUE(nodes[0]->effects.end(id));
  run();
  pass(Millis{12'000});
  ASSERT_TRUE(*report);
  EXPECT_EQ((*report)->outcomes.front().verdict, Verdict::finished_first);
}

TEST_F(FleetTest, ARunHandedOverBeforeTheOrderCameHadRun) {
  const JobId id = running_on(0);
  const auto report = erase(1, id);
  tell(nodes[0]->context().foreman, DrainRuns{[] {}, true});
  run();
  hear(0, {"orders:" + node_ids[0].text()});
  hear(1, {"erased"});
  ASSERT_TRUE(*report);
  EXPECT_EQ((*report)->outcomes.front().verdict, Verdict::finished_first);
  EXPECT_EQ((*report)->counts.dequeued, 0u);
}

// The row says that it runs here, and it never did: its claim was not heard of.
TEST_F(FleetTest, AClaimThatNobodyHeardOfIsStillTakenFromTheQueue) {
  storage::Batch claim;
  storage::EnqueueOp op;
  op.job.id = ids.next();
  op.job.kind = "one";
  op.now = clock.now();
  const JobId id = op.job.id;
  claim.enqueues.push_back(std::move(op));
  claim.claims.push_back({"default", 1, nodes[0]->context().self, clock.now()});
  auto writer = std::move(stores[1]->open_writer()).value();
  ASSERT_TRUE(writer->apply(claim).ok());
  const auto report = erase(1, id);
  hear(0, {"orders:" + node_ids[0].text()});
  hear(1, {"erased"});
  ASSERT_TRUE(*report);
  EXPECT_EQ((*report)->counts.dequeued, 1u);
}

// ---- the ladder ----
TEST_F(FleetTest, ANodeThatCannotRenewStopsItsRunsAndTakesNothing) {
  const JobId id = running_on(0);
  cut_off(0);
  pass(Millis{9'000});
  EXPECT_TRUE(nodes[0]->effects.has(id));
  EXPECT_TRUE(nodes[0]->lease.holds());
  pass(Millis{3'000});
  EXPECT_FALSE(nodes[0]->lease.holds());
  EXPECT_FALSE(nodes[0]->effects.has(id));
  EXPECT_EQ(nodes[0]->metrics.runs, 0u);
  pass(Millis{2'000});
  EXPECT_EQ(nodes[0]->left, 0) << "with its runs down it may stay and try again";
}

TEST_F(FleetTest, ARunThatDoesNotEndTakesItsProcessWithIt) {
  running_on(0);
  nodes[0]->effects.manner = StageEffects::Manner::late;
  cut_off(0);
  pass(Millis{12'500});
  EXPECT_EQ(nodes[0]->left, 0);
  pass(Millis{1'500});
  EXPECT_EQ(nodes[0]->left, 1);
}

TEST_F(FleetTest, ARenewalAfterTheStopHandsTheRunOverWithoutAnAttempt) {
  const JobId id = running_on(0);
  cut_off(0);
  pass(Millis{11'000});
  reconnect();
  pass(Millis{4'000});
  EXPECT_TRUE(nodes[0]->lease.holds());
  EXPECT_EQ(nodes[0]->left, 0);
  ASSERT_TRUE(job(id));
  EXPECT_EQ(job(id)->state, JobState::running);
  EXPECT_EQ(job(id)->attempt, 1) << "what was handed over has not used up an attempt";
}

TEST_F(FleetTest, AFinishIsKeptWhileTheStoreIsAwayAndWrittenAfter) {
  const JobId id = running_on(0);
  cut_off(0);
  ASSERT_TRUE(nodes[0]->effects.end(id));
  pass(Millis{12'000});
  EXPECT_TRUE(runs_on(id, 0)) << "the store has not heard of its end";
  reconnect();
  pass(Millis{4'000});
  EXPECT_EQ(job(id)->state, JobState::succeeded);
  EXPECT_EQ(job(id)->attempt, 1);
}

TEST_F(FleetTest, WhatIsAskedForWhenTheLeaseIsOverNeverStarts) {
  const JobId id = running_on(0, "two");
  paused[0] = true;
  clock.ms += Millis{11'000};  // it slept, and nobody has told it of the time
  paused[0] = false;
  ASSERT_TRUE(nodes[0]->effects.end(id));  // the first wait is over: the run asks for its second
  nodes[0]->scheduler().run();
  EXPECT_FALSE(nodes[0]->effects.has(id));
}

// ---- recovery ----
TEST_F(FleetTest, ADeadNodesJobRunsElsewhereAfterItsLease) {
  const JobId id = running_on(0);
  pass(Millis{1'000});
  paused[0] = true;
  pass(Millis{13'000});
  EXPECT_TRUE(runs_on(id, 0)) << "its first beat stands for 14 s";
  pass(Millis{3'000});
  EXPECT_TRUE(runs_on(id, 1)) << "after the lease and at most two seconds";
}

TEST_F(FleetTest, ADeleteOfADeadNodesRunIsAnsweredAsUnproven) {
  const JobId id = running_on(0);
  pass(Millis{1'000});
  paused[0] = true;
  const auto report = erase(1, id);
  pass(Millis{18'000});
  ASSERT_TRUE(*report);
  EXPECT_EQ((*report)->counts.unproven, 1u);
  EXPECT_EQ((*report)->outcomes.front().verdict, Verdict::lease_expired);
}

TEST_F(FleetTest, ANodeDeclaredDeadLeavesWhenItWakes) {
  running_on(0);
  pass(Millis{1'000});
  paused[0] = true;
  pass(Millis{18'000});
  paused[0] = false;
  pass(Millis{6'000});
  EXPECT_GE(nodes[0]->left, 1);
  EXPECT_FALSE(nodes[0]->lease.holds());
}

// ---- census ----
TEST_F(FleetTest, ARunThatTheStoreDoesNotListIsStopped) {
  const JobId id = running_on(0);
  storage::Batch lost;  // as hand-made SQL, or a restored database
  lost.finishes.push_back(
      {.job = id, .epoch = job(id)->epoch, .event = JobEvent::succeed, .now = clock.now()});
  auto writer = std::move(stores[1]->open_writer()).value();
  ASSERT_TRUE(writer->apply(lost).ok());
  EXPECT_TRUE(nodes[0]->effects.has(id));
  pass(Millis{6'000});
  EXPECT_FALSE(nodes[0]->effects.has(id));
}

TEST_F(FleetTest, ARowThatNobodyRunsIsGivenBack) {
  const JobId first = running_on(0);
  const JobId second = running_on(0);  // the pool of node 0 is full
  storage::Batch claim;
  storage::EnqueueOp op;
  op.job.id = ids.next();
  op.job.kind = "one";
  op.now = clock.now();
  const JobId id = op.job.id;
  claim.enqueues.push_back(std::move(op));
  claim.claims.push_back({"default", 1, nodes[0]->context().self, clock.now()});
  auto writer = std::move(stores[1]->open_writer()).value();
  ASSERT_TRUE(writer->apply(claim).ok());
  EXPECT_TRUE(runs_on(id, 0)) << "the row says so, and the node knows nothing";
  pass(Millis{8'000});
  EXPECT_TRUE(runs_on(id, 1));
  EXPECT_TRUE(runs_on(first, 0));
  EXPECT_TRUE(runs_on(second, 0));
}

}  // namespace
}  // namespace quell
