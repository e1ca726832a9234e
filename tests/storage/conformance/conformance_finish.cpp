// Fencing and the ends of runs: only the run that holds the job may write, and it ends once.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Fencing);

TEST_P(Fencing, AStaleEpochFinishesNothing) {
  const ClaimedJob run = start();
  for (const int wrong : {run.epoch - 1, run.epoch + 1}) {
    FinishOp op = finish_op(run, JobEvent::succeed);
    op.epoch = wrong;
    EXPECT_FALSE(finish(op).written);
  }
  EXPECT_EQ(state(run.job), JobState::running);
}

TEST_P(Fencing, AStaleEpochFlushesNothing) {
  const ClaimedJob run = start();
  for (const int wrong : {run.epoch - 1, run.epoch + 1}) {
    FlushOp op = flush_op(run);
    op.epoch = wrong;
    op.progress = 0.5;
    op.partials = {"x"};
    op.logs = {{now(), "info", "x"}};
    op.steps = {{"x", "1"}};
    EXPECT_FALSE(flush(op));
  }
  EXPECT_FALSE(view(run.job).progress.has_value());
  EXPECT_TRUE(reader().partials(run.job, 0, 10)->empty());
  EXPECT_TRUE(reader().logs(run.job, 0, 10)->empty());
  EXPECT_TRUE(reader().steps(run.job)->empty());
}

TEST_P(Fencing, TheEarlierRunOfALostJobWritesNothing) {
  const ClaimedJob first = start();
  recover();
  Batch batch;
  batch.claims = {{view(first.job).queue, 1, other_, now()}};
  const ClaimedJob second = apply(batch).claims.at(0).at(0);
  EXPECT_EQ(second.epoch, first.epoch + 1);
  EXPECT_FALSE(finish(first, JobEvent::succeed).written);
  EXPECT_FALSE(flush(flush_op(first)));
  EXPECT_TRUE(flush(flush_op(second)));
  EXPECT_TRUE(finish(second, JobEvent::succeed).written);
}

TEST_P(Fencing, ALostRunWritesNothingWhileItsJobWaits) {
  const ClaimedJob run = start();
  recover();
  EXPECT_EQ(view(run.job).epoch, run.epoch);
  EXPECT_FALSE(finish(run, JobEvent::succeed).written);
  EXPECT_FALSE(flush(flush_op(run)));
  EXPECT_EQ(state(run.job), JobState::queued);
}

TEST_P(Fencing, AFinishedRunFlushesNothing) {
  const ClaimedJob run = start();
  finish(run, JobEvent::succeed);
  EXPECT_FALSE(flush(flush_op(run)));
  EXPECT_FALSE(finish(run, JobEvent::succeed).written);
}

TEST_P(Fencing, AMarkedRunWritesNothingUnderEitherEpoch) {
  const ClaimedJob run = start();
  const MarkedJob marked = mark(run.job);
  for (const int epoch : {run.epoch, marked.epoch}) {
    FlushOp flushed = flush_op(run);
    flushed.epoch = epoch;
    EXPECT_FALSE(flush(flushed));
    FinishOp ended = finish_op(run, JobEvent::succeed);
    ended.epoch = epoch;
    ended.deliveries = {delivery()};
    EXPECT_FALSE(finish(ended).written);
  }
  EXPECT_TRUE(reader().deliveries(run.job)->empty());
}

TEST_P(Fencing, ALostFinishLeavesNothingBehind) {
  const ClaimedJob run = start();
  recover();
  FinishOp op = finish_op(run, JobEvent::succeed);
  op.result = R"("late")";
  op.error = R"({"late":1})";
  op.usage = R"({"tokens":1})";
  op.attempt = AttemptRecord{1, {}, now(), "succeeded", "", "n"};
  op.deliveries = {delivery()};
  EXPECT_FALSE(finish(op).written);
  const JobView seen = view(run.job);
  EXPECT_EQ(seen.result + seen.error + seen.usage, "");
  EXPECT_TRUE(reader().attempts(run.job)->empty());
  EXPECT_TRUE(reader().deliveries(run.job)->empty());
  EXPECT_FALSE(reader().next_delivery()->has_value());
}

TEST_P(Fencing, EachClaimRaisesTheEpochByOne) {
  const ClaimedJob run = start();
  ClaimedJob last = run;
  for (int i = 2; i <= 5; ++i) {
    EXPECT_TRUE(finish(last, JobEvent::hand_over).written);
    EXPECT_EQ(view(run.job).epoch, i - 1);
    last = claim(1, view(run.job).queue).at(0);
    EXPECT_EQ(last.epoch, i);
  }
}

QUELL_STORE_GROUP(Finish);

TEST_P(Finish, SucceedKeepsTheResult) {
  FinishOp op = finish_op(start(), JobEvent::succeed);
  op.result = R"({"answer":42})";
  op.usage = R"({"tokens":7})";
  op.expires = in(77);
  EXPECT_EQ(finish(op).state, JobState::succeeded);
  const JobView seen = view(op.job);
  EXPECT_EQ(seen.result, op.result);
  EXPECT_EQ(seen.usage, op.usage);
  EXPECT_EQ(seen.error, "");
  EXPECT_EQ(seen.expires, in(77));
  EXPECT_EQ(seen.finished, now());
  EXPECT_EQ(seen.attempt, 1);
}

TEST_P(Finish, ExhaustKeepsTheError) {
  FinishOp op = finish_op(start(), JobEvent::exhaust);
  op.error = R"({"code":"boom"})";
  EXPECT_EQ(finish(op).state, JobState::failed);
  EXPECT_EQ(view(op.job).error, op.error);
  EXPECT_FALSE(view(op.job).expires.has_value());
}

TEST_P(Finish, StoppedMeansCancelled) {
  EXPECT_EQ(finish(start(), JobEvent::stopped).state, JobState::cancelled);
}

TEST_P(Finish, RetryWaitsScheduledAndIsNotFinished) {
  FinishOp op = finish_op(start(), JobEvent::retry);
  op.error = R"({"code":"try again"})";
  op.expires = in(5);
  EXPECT_EQ(finish(op).state, JobState::scheduled);
  const JobView seen = view(op.job);
  EXPECT_EQ(seen.due, in(60));
  EXPECT_EQ(seen.error, op.error);
  EXPECT_EQ(seen.attempt, 1);
  EXPECT_FALSE(seen.finished || seen.expires || seen.node);
}

TEST_P(Finish, HandOverCountsNoAttempt) {
  const ClaimedJob run = start();
  EXPECT_EQ(finish(run, JobEvent::hand_over).state, JobState::queued);
  EXPECT_EQ(view(run.job).attempt, 0);
  EXPECT_EQ(claim(1, view(run.job).queue).at(0).attempt, 1);
}

TEST_P(Finish, HandOverLeavesResultAndError) {
  const ClaimedJob first = start();
  FinishOp failed = finish_op(first, JobEvent::retry);
  failed.error = R"({"code":"first"})";
  finish(failed);
  pass(100);
  due();
  const ClaimedJob second = claim(1, view(first.job).queue).at(0);
  EXPECT_TRUE(finish(second, JobEvent::hand_over).written);
  EXPECT_EQ(view(first.job).error, failed.error);
}

TEST_P(Finish, ASuccessClearsTheErrorOfTheAttemptBefore) {
  const ClaimedJob first = start();
  FinishOp failed = finish_op(first, JobEvent::retry);
  failed.error = R"({"code":"first"})";
  finish(failed);
  pass(100);
  due();
  finish(claim(1, view(first.job).queue).at(0), JobEvent::succeed);
  EXPECT_EQ(view(first.job).error, "");
  EXPECT_EQ(view(first.job).attempt, 2);
}

TEST_P(Finish, UsageStaysWhenTheFinishHasNothingToSay) {
  const ClaimedJob run = start();
  FlushOp op = flush_op(run);
  op.usage = R"({"tokens":5})";
  EXPECT_TRUE(flush(op));
  finish(run, JobEvent::succeed);
  EXPECT_EQ(view(run.job).usage, R"({"tokens":5})");
}

TEST_P(Finish, ARetryUnderARequestedCancelIsCancelled) {
  const ClaimedJob run = start();
  EXPECT_EQ(steer(run.job, JobEvent::cancel).answer, SteerAnswer::requested);
  FinishOp op = finish_op(run, JobEvent::retry);
  op.expires = in(9);
  const FinishResult result = finish(op);
  EXPECT_TRUE(result.written);
  EXPECT_EQ(result.state, JobState::cancelled);
  const JobView seen = view(run.job);
  EXPECT_EQ(seen.state, JobState::cancelled);
  EXPECT_EQ(seen.finished, now());
  EXPECT_EQ(seen.expires, in(9));
  EXPECT_EQ(seen.attempt, 1);
  EXPECT_FALSE(seen.due || seen.cancel_requested);
}

TEST_P(Finish, AHandOverUnderARequestedCancelIsCancelled) {
  const ClaimedJob run = start();
  steer(run.job, JobEvent::cancel);
  EXPECT_EQ(finish(run, JobEvent::hand_over).state, JobState::cancelled);
  EXPECT_EQ(state(run.job), JobState::cancelled);
  EXPECT_EQ(view(run.job).attempt, 0);
}

TEST_P(Finish, WhatEndedByItselfIsNotCancelledByARequest) {
  const ClaimedJob well = start(), badly = start();
  steer(well.job, JobEvent::cancel);
  steer(badly.job, JobEvent::cancel);
  EXPECT_EQ(finish(well, JobEvent::succeed).state, JobState::succeeded);
  EXPECT_EQ(finish(badly, JobEvent::exhaust).state, JobState::failed);
  EXPECT_FALSE(view(well.job).cancel_requested);
}

TEST_P(Finish, EveryAttemptLeavesItsRecord) {
  const ClaimedJob first = start();
  FinishOp failed = finish_op(first, JobEvent::retry);
  failed.attempt = AttemptRecord{1, now(), in(1), "failed", R"({"code":"x"})", "node-1"};
  finish(failed);
  pass(100);
  due();
  const ClaimedJob second = claim(1, view(first.job).queue).at(0);
  EXPECT_EQ(second.attempt, 2);
  FinishOp good = finish_op(second, JobEvent::succeed);
  good.attempt = AttemptRecord{2, {}, in(2), "succeeded", "", ""};
  finish(good);
  const auto attempts = reader().attempts(first.job);
  ASSERT_TRUE(attempts.ok());
  ASSERT_EQ(attempts->size(), 2u);
  const AttemptRecord& one = attempts->at(0);
  EXPECT_EQ(one.n, 1);
  EXPECT_EQ(one.started, failed.attempt->started);
  EXPECT_EQ(one.ended, failed.attempt->ended);
  EXPECT_EQ(one.outcome, "failed");
  EXPECT_EQ(one.error, R"({"code":"x"})");
  EXPECT_EQ(one.node, "node-1");
  EXPECT_EQ(attempts->at(1).n, 2);
  EXPECT_FALSE(attempts->at(1).started.has_value());
}

TEST_P(Finish, DeliveriesComeWithTheEnd) {
  FinishOp op = finish_op(start(), JobEvent::succeed);
  op.deliveries = {delivery(0), delivery(5)};
  EXPECT_TRUE(finish(op).written);
  const auto waiting = reader().deliveries(op.job);
  ASSERT_EQ(waiting->size(), 2u);
  EXPECT_EQ(waiting->at(0).id, op.deliveries[0].id);
  EXPECT_EQ(waiting->at(1).due, in(5));
  EXPECT_EQ(*reader().next_delivery(), now());
}

TEST_P(Finish, AHundredEndsInOneBatchAreToldApart) {
  submit_many(100);
  const auto runs = claim(100);
  Batch batch;
  const JobEvent ends[] = {JobEvent::succeed, JobEvent::retry, JobEvent::exhaust, JobEvent::stopped,
                           JobEvent::hand_over};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    batch.finishes.push_back(finish_op(runs[i], ends[i % 5]));
    batch.finishes.back().result = i % 5 == 0 ? std::to_string(i) : "";
    if (i % 7 == 0) batch.finishes.back().epoch += 1;
  }
  const Outcome out = apply(batch);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool fits = i % 7 != 0;
    EXPECT_EQ(out.finishes.at(i).written, fits) << i;
    const JobState to = fits ? *decide(JobState::running, ends[i % 5]) : JobState::running;
    EXPECT_EQ(state(runs[i].job), to) << i;
    EXPECT_EQ(view(runs[i].job).result, fits && i % 5 == 0 ? std::to_string(i) : "");
  }
}

}  // namespace
}  // namespace quell::storage
