// Cancel, revive, run_now, and unique keys: what people do to jobs without deleting them.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Steer);

TEST_P(Steer, ACancelledJobIsFinalAndExpires) {
  const JobId id = submit();
  SteerOp op{id, JobEvent::cancel, "me", now()};
  op.expires = in(33);
  const SteerResult result = apply_one(&Batch::steers, op).steers.at(0);
  EXPECT_EQ(result.answer, SteerAnswer::moved);
  EXPECT_EQ(result.state, JobState::cancelled);
  EXPECT_EQ(result.queue, "default");
  EXPECT_FALSE(result.runner || result.delete_id);
  EXPECT_EQ(view(id).finished, now());
  EXPECT_EQ(view(id).expires, in(33));
}

TEST_P(Steer, ACancelledScheduledJobIsNoLongerDue) {
  const JobId id = submit_later(10);
  EXPECT_EQ(steer(id, JobEvent::cancel).answer, SteerAnswer::moved);
  EXPECT_FALSE(view(id).due || *reader().next_due());
}

TEST_P(Steer, CancellingARunIsOnlyARequest) {
  const ClaimedJob run = start();
  const SteerResult result = steer(run.job, JobEvent::cancel);
  EXPECT_EQ(result.answer, SteerAnswer::requested);
  EXPECT_EQ(result.state, JobState::running);
  ASSERT_TRUE(result.runner.has_value());
  EXPECT_EQ(result.runner->what, HolderKind::run);
  EXPECT_EQ(result.runner->ref, run.job);
  EXPECT_EQ(result.runner->owner, node_);
  EXPECT_EQ(result.runner->epoch, run.epoch);
  EXPECT_TRUE(view(run.job).cancel_requested);
  EXPECT_EQ(view(run.job).epoch, run.epoch);
}

TEST_P(Steer, ARequestedCancelMayBeRepeated) {
  const ClaimedJob run = start();
  steer(run.job, JobEvent::cancel);
  EXPECT_EQ(steer(run.job, JobEvent::cancel).answer, SteerAnswer::requested);
}

TEST_P(Steer, ARunToBeCancelledStillFlushesAndFinishes) {
  const ClaimedJob run = start();
  steer(run.job, JobEvent::cancel);
  EXPECT_TRUE(flush(flush_op(run)));
  EXPECT_EQ(finish(run, JobEvent::stopped).state, JobState::cancelled);
}

TEST_P(Steer, AnotherProjectsJobIsNotFound) {
  const JobId id = submit();
  SteerOp op{id, JobEvent::cancel, "me", now()};
  op.project = "other";
  EXPECT_EQ(apply_one(&Batch::steers, op).steers.at(0).answer, SteerAnswer::not_found);
  EXPECT_EQ(state(id), JobState::queued);
  op.project = "default";
  EXPECT_EQ(apply_one(&Batch::steers, op).steers.at(0).answer, SteerAnswer::moved);
}

TEST_P(Steer, ADeletedJobIsGone) {
  const JobId id = submit();
  const MarkedJob marked = mark(id);
  const SteerResult result = steer(id, JobEvent::revive);
  EXPECT_EQ(result.answer, SteerAnswer::gone);
  EXPECT_EQ(result.delete_id, marked.delete_id);
  EXPECT_EQ(steer(new_id(), JobEvent::cancel).answer, SteerAnswer::not_found);
}

TEST_P(Steer, ALeavingJobNamesItsDelete) {
  const MarkedJob marked = held();
  const SteerResult result = steer(marked.job, JobEvent::cancel);
  EXPECT_EQ(result.answer, SteerAnswer::leaving);
  EXPECT_EQ(result.state, JobState::pending_delete);
  EXPECT_EQ(result.delete_id, marked.delete_id);
}

TEST_P(Steer, AMarkEndsTheRequestedCancel) {
  const ClaimedJob run = start();
  steer(run.job, JobEvent::cancel);
  mark(run.job);
  EXPECT_FALSE(view(run.job).cancel_requested);
  EXPECT_TRUE(apply_one(&Batch::beats, BeatOp{node_}).beats.at(0).cancel_requests.empty());
}

TEST_P(Steer, ARevivedJobRunsAgainAndForgetsItsEnd) {
  FinishOp op = finish_op(start(), JobEvent::exhaust);
  op.error = R"({"code":"x"})";
  op.expires = in(10);
  finish(op);
  EXPECT_EQ(steer(op.job, JobEvent::revive).state, JobState::queued);
  const JobView seen = view(op.job);
  EXPECT_FALSE(seen.finished || seen.expires || seen.due);
  EXPECT_EQ(seen.error, op.error);
  const ClaimedJob again = claim(1, seen.queue).at(0);
  EXPECT_EQ(again.epoch, 2);
  EXPECT_EQ(again.attempt, 2);
}

TEST_P(Steer, ARevivedJobHasNotBeenLostYet) {
  const ClaimedJob run = start();
  RecoverOp op = recover_op();
  op.max_lost = 1;
  apply_one(&Batch::recoveries, op);
  EXPECT_EQ(state(run.job), JobState::failed);
  EXPECT_EQ(view(run.job).lost, 1);
  steer(run.job, JobEvent::revive);
  EXPECT_EQ(view(run.job).lost, 0);
  EXPECT_EQ(view(run.job).error.find("lost_too_often") != std::string::npos, true);
}

TEST_P(Steer, RunNowDoesNotWait) {
  const JobId id = submit_later(1'000);
  EXPECT_EQ(steer(id, JobEvent::run_now).answer, SteerAnswer::moved);
  EXPECT_FALSE(view(id).due.has_value());
  EXPECT_EQ(claim(1).at(0).job, id);
}

QUELL_STORE_GROUP(UniqueKey);

TEST_P(UniqueKey, ATakenKeyNamesItsJobInEveryStateThatHoldsIt) {
  NewJob first = job();
  first.unique_key = "k";
  first.run_at = in(10);
  submit(first);
  NewJob second = job();
  second.unique_key = "k";
  const auto conflicts_in = [&](JobState at) {
    const EnqueueResult result = enqueue(second);
    EXPECT_EQ(result.answer, EnqueueAnswer::unique_conflict) << to_string(at);
    EXPECT_EQ(result.existing, first.id) << to_string(at);
    EXPECT_EQ(result.existing_state, at) << to_string(at);
    EXPECT_EQ(state(second.id), JobState::gone);
  };
  conflicts_in(JobState::scheduled);
  steer(first.id, JobEvent::run_now);
  conflicts_in(JobState::queued);
  claim(1);
  conflicts_in(JobState::running);
  const MarkedJob marked = mark(first.id);
  conflicts_in(JobState::pending_delete);
  ticket(first.id, JobEvent::fail_delete);
  conflicts_in(JobState::delete_failed);
  verdict(first.id, marked.open.at(0), Verdict::stopped);
  EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::stored);
}

TEST_P(UniqueKey, EveryEndFreesTheKey) {
  for (const JobEvent event : {JobEvent::succeed, JobEvent::exhaust, JobEvent::stopped}) {
    NewJob first = job();
    first.unique_key = "k";
    finish(start(first), event);
    NewJob second = job();
    second.unique_key = "k";
    EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::stored) << to_string(event);
    EXPECT_EQ(view(first.id).unique_key, "k");
    mark(second.id);
  }
}

TEST_P(UniqueKey, ARetryAndAHandOverKeepTheKey) {
  for (const JobEvent event : {JobEvent::retry, JobEvent::hand_over}) {
    NewJob first = job();
    first.unique_key = std::string(to_string(event));
    finish(start(first), event);
    NewJob second = job();
    second.unique_key = first.unique_key;
    EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::unique_conflict) << to_string(event);
  }
}

TEST_P(UniqueKey, ARecoveryKeepsTheKeyUnlessTheJobFails) {
  NewJob first = job();
  first.unique_key = "k";
  start(first);
  NewJob second = job();
  second.unique_key = "k";
  recover();
  EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::unique_conflict);
  steer(first.id, JobEvent::cancel);
  EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::stored);
}

TEST_P(UniqueKey, AForceFreesTheKey) {
  NewJob first = job();
  first.unique_key = "k";
  start(first);
  mark(first.id);
  force(first.id);
  NewJob second = job();
  second.unique_key = "k";
  EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::stored);
}

TEST_P(UniqueKey, ProjectsDoNotShareKeys) {
  NewJob first = job();
  first.unique_key = "k";
  submit(first);
  NewJob second = job();
  second.unique_key = "k";
  second.project = "other";
  EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::stored);
}

TEST_P(UniqueKey, JobsWithoutAKeyNeverConflictAndTheEmptyKeyIsAKey) {
  submit();
  submit();
  NewJob first = job();
  first.unique_key = "";
  submit(first);
  NewJob second = job();
  second.unique_key = "";
  EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::unique_conflict);
}

TEST_P(UniqueKey, OfTwoInOneBatchTheFirstWins) {
  NewJob first = job(), second = job();
  first.unique_key = second.unique_key = "k";
  Batch batch;
  batch.enqueues = {submit_op(first), submit_op(second)};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.enqueues.at(0).answer, EnqueueAnswer::stored);
  EXPECT_EQ(out.enqueues.at(1).answer, EnqueueAnswer::unique_conflict);
  EXPECT_EQ(out.enqueues.at(1).existing, first.id);
  EXPECT_EQ(out.enqueues.at(1).existing_state, JobState::queued);
}

TEST_P(UniqueKey, ATakenIdIsToldBeforeATakenKey) {
  NewJob first = job();
  first.unique_key = "k";
  submit(first);
  EXPECT_EQ(enqueue(first).answer, EnqueueAnswer::id_taken);
}

TEST_P(UniqueKey, AReviveTakesTheKeyAgain) {
  NewJob first = job();
  first.unique_key = "k";
  finish(start(first), JobEvent::exhaust);
  EXPECT_EQ(steer(first.id, JobEvent::revive).answer, SteerAnswer::moved);
  NewJob second = job();
  second.unique_key = "k";
  EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::unique_conflict);
}

TEST_P(UniqueKey, AReviveIsRefusedWhileAnotherHasTheKey) {
  NewJob first = job();
  first.unique_key = "k";
  finish(start(first), JobEvent::exhaust);
  NewJob second = job();
  second.unique_key = "k";
  submit(second);
  const SteerResult result = steer(first.id, JobEvent::revive);
  EXPECT_EQ(result.answer, SteerAnswer::refused);
  EXPECT_EQ(result.state, JobState::failed);
  steer(second.id, JobEvent::cancel);
  EXPECT_EQ(steer(first.id, JobEvent::revive).answer, SteerAnswer::moved);
}

TEST_P(UniqueKey, AFinalJobThatIsHeldByADeliveryHoldsNoKey) {
  NewJob first = job();
  first.unique_key = "k";
  FinishOp op = finish_op(start(first), JobEvent::succeed);
  op.deliveries = {delivery()};
  finish(op);
  claim_deliveries(1);
  EXPECT_EQ(mark(first.id).answer, MarkAnswer::held);
  NewJob second = job();
  second.unique_key = "k";
  EXPECT_EQ(enqueue(second).answer, EnqueueAnswer::stored);
}

// Of an operation: two who believe that it is theirs, or one whose commit came late.
TEST_P(Steer, WhatIsSteeredInTheNameOfADocumentIsSteeredOnceForEachOfItsVersions) {
  const JobId failed = finished(JobEvent::exhaust), waits = submit();
  const auto slice = [&](std::int64_t version) {
    Batch batch;
    for (const JobId& id : {failed, waits}) {
      SteerOp& op = batch.steers.emplace_back();
      op = SteerOp{id, id == failed ? JobEvent::revive : JobEvent::cancel, "me", now()};
      op.only_at = DocAt{"operation", "o", version};
    }
    DocOp& doc = batch.docs.emplace_back();
    doc.kind = "operation";
    doc.id = "o";
    doc.body = "{}";
    doc.if_version = version;
    return apply(batch);
  };
  const auto refused = [](const Outcome& out) {
    return out.steers.at(0).answer == SteerAnswer::refused &&
           out.steers.at(1).answer == SteerAnswer::refused && !out.docs.at(0).written;
  };
  EXPECT_TRUE(refused(slice(7))) << "no such document";
  EXPECT_EQ(view(failed).state, JobState::failed);
  EXPECT_EQ(view(waits).state, JobState::queued);
  const Outcome first = slice(0);
  EXPECT_EQ(first.steers.at(0).answer, SteerAnswer::moved);
  EXPECT_EQ(first.steers.at(1).answer, SteerAnswer::moved);
  for (const ClaimedJob& run : claim(1, view(failed).queue)) finish(run, JobEvent::exhaust);
  steer(waits, JobEvent::revive);
  EXPECT_TRUE(refused(slice(0))) << "it was done";
  EXPECT_EQ(view(failed).state, JobState::failed);
  EXPECT_EQ(view(waits).state, JobState::queued);
  EXPECT_EQ(slice(1).steers.at(0).answer, SteerAnswer::moved);
}

}  // namespace
}  // namespace quell::storage
