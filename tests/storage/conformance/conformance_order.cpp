// Inside one batch the order is fixed: mark, verdict, ticket, force, steer, flush, finish, … claim.
// Deletes win ties, and what frees comes before what takes.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Order);

TEST_P(Order, AClaimNeverReturnsAJobMarkedInTheSameBatch) {
  const auto jobs = submit_many(4);
  Batch batch;
  batch.claims = {claim_op(10)};
  batch.marks = {mark_op({jobs[0], jobs[2]})};
  const Outcome out = apply(batch);
  ASSERT_EQ(out.claims.at(0).size(), 2u);
  EXPECT_EQ(out.claims[0][0].job, jobs[1]);
  EXPECT_EQ(out.claims[0][1].job, jobs[3]);
  EXPECT_EQ(state(jobs[0]), JobState::gone);
}

TEST_P(Order, AMarkBeatsAFinish) {
  const ClaimedJob run = start();
  Batch batch;
  batch.finishes = {finish_op(run, JobEvent::succeed)};
  batch.marks = {mark_op({run.job})};
  const Outcome out = apply(batch);
  EXPECT_FALSE(out.finishes.at(0).written);
  EXPECT_EQ(out.marks[0][0].answer, MarkAnswer::held);
  EXPECT_EQ(state(run.job), JobState::pending_delete);
}

TEST_P(Order, AMarkBeatsAFlush) {
  const ClaimedJob run = start();
  Batch batch;
  batch.flushes = {flush_op(run)};
  batch.flushes[0].partials = {"late"};
  batch.marks = {mark_op({run.job})};
  EXPECT_FALSE(apply(batch).flushes.at(0));
}

TEST_P(Order, AMarkBeatsACancel) {
  const JobId id = submit();
  const ClaimedJob run = start();
  Batch batch;
  batch.steers = {{id, JobEvent::cancel, "a", now()}, {run.job, JobEvent::cancel, "a", now()}};
  batch.marks = {mark_op({id, run.job})};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.steers.at(0).answer, SteerAnswer::gone);
  EXPECT_EQ(out.steers.at(1).answer, SteerAnswer::leaving);
}

TEST_P(Order, AMarkBeatsTheDue) {
  const JobId id = submit_later(1);
  pass(2);
  Batch batch;
  batch.dues = {{now()}};
  batch.marks = {mark_op({id})};
  EXPECT_EQ(apply(batch).dues.at(0).moved, 0);
}

TEST_P(Order, AMarkBeatsADeliveryClaim) {
  FinishOp op = finish_op(start(), JobEvent::succeed);
  op.deliveries = {delivery()};
  finish(op);
  Batch batch;
  batch.delivery_claims = {{node_, now(), 10}};
  batch.marks = {mark_op({op.job})};
  const Outcome out = apply(batch);
  EXPECT_TRUE(out.delivery_claims.at(0).empty());
  EXPECT_EQ(out.marks[0][0].deliveries_removed, 1);
}

TEST_P(Order, AMarkBeatsADeliveryEnd) {
  const auto [id, delivery_id] = delivering();
  Batch batch;
  batch.delivery_ends = {{delivery_id, node_, now()}};
  batch.marks = {mark_op({id})};
  const Outcome out = apply(batch);
  EXPECT_FALSE(out.delivery_ends.at(0));
  EXPECT_EQ(out.marks[0][0].answer, MarkAnswer::held);
}

TEST_P(Order, AVerdictOfTheSameBatchErasesAtOnce) {
  const ClaimedJob run = start();
  Batch batch;
  batch.verdicts = {{run.job, HolderKind::run, run.job, node_, run.epoch, Verdict::stopped, now()}};
  batch.marks = {mark_op({run.job})};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.marks[0][0].answer, MarkAnswer::held);
  EXPECT_EQ(out.verdicts.at(0).answer, VerdictAnswer::erased);
  EXPECT_EQ(state(run.job), JobState::gone);
}

TEST_P(Order, AVerdictComesBeforeTheForce) {
  const MarkedJob marked = held();
  Batch batch;
  batch.forces = {{marked.job, "root", "why", now()}};
  batch.verdicts = {verdict_op(marked.job, marked.open[0], Verdict::stopped)};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.verdicts.at(0).answer, VerdictAnswer::erased);
  EXPECT_FALSE(out.forces.at(0).erased);
  EXPECT_EQ(tomb(marked.job)->verdict, Verdict::stopped);
}

TEST_P(Order, ATicketFailsBeforeItIsForced) {
  const MarkedJob marked = held();
  Batch batch;
  batch.forces = {{marked.job, "root", "why", now()}};
  batch.tickets = {ticket_op(marked.job, JobEvent::fail_delete)};
  const Outcome out = apply(batch);
  EXPECT_TRUE(out.tickets.at(0));
  EXPECT_TRUE(out.forces.at(0).erased);
}

TEST_P(Order, ACancelBeatsTheClaim) {
  const JobId id = submit();
  Batch batch;
  batch.claims = {claim_op(1)};
  batch.steers = {{id, JobEvent::cancel, "a", now()}};
  EXPECT_TRUE(apply(batch).claims.at(0).empty());
  EXPECT_EQ(state(id), JobState::cancelled);
}

TEST_P(Order, ACancelTurnsTheRetryOfTheSameBatchIntoCancelled) {
  const ClaimedJob run = start();
  Batch batch;
  batch.finishes = {finish_op(run, JobEvent::retry)};
  batch.steers = {{run.job, JobEvent::cancel, "a", now()}};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.steers.at(0).answer, SteerAnswer::requested);
  EXPECT_TRUE(out.finishes.at(0).written);
  EXPECT_EQ(out.finishes.at(0).state, JobState::cancelled);
}

TEST_P(Order, ARunNowComesBeforeTheClaim) {
  const JobId id = submit_later(100);
  Batch batch;
  batch.claims = {claim_op(1)};
  batch.steers = {{id, JobEvent::run_now, "a", now()}};
  ASSERT_EQ(apply(batch).claims.at(0).size(), 1u);
}

TEST_P(Order, AFlushComesBeforeTheFinishOfItsRun) {
  const ClaimedJob run = start();
  Batch batch;
  batch.finishes = {finish_op(run, JobEvent::succeed)};
  batch.flushes = {flush_op(run)};
  batch.flushes[0].partials = {"last words"};
  const Outcome out = apply(batch);
  EXPECT_TRUE(out.flushes.at(0));
  EXPECT_TRUE(out.finishes.at(0).written);
  EXPECT_EQ(reader().partials(run.job, 0, 10)->size(), 1u);
}

TEST_P(Order, AFinishFreesTheUniqueKeyForAnEnqueueOfTheSameBatch) {
  NewJob first = job();
  first.unique_key = "k";
  const ClaimedJob run = start(first);
  NewJob second = job();
  second.unique_key = "k";
  Batch batch;
  batch.enqueues = {submit_op(second)};
  batch.finishes = {finish_op(run, JobEvent::succeed)};
  EXPECT_EQ(apply(batch).enqueues.at(0).answer, EnqueueAnswer::stored);
}

TEST_P(Order, WhatIsEnqueuedIsClaimedInTheSameBatch) {
  Batch batch;
  batch.claims = {claim_op(5)};
  batch.enqueues = {submit_op(job()), submit_op(job())};
  EXPECT_EQ(apply(batch).claims.at(0).size(), 2u);
}

TEST_P(Order, WhatIsHandedOverIsClaimedAgainInTheSameBatch) {
  const ClaimedJob run = start();
  Batch batch;
  batch.claims = {claim_op(1, view(run.job).queue)};
  batch.finishes = {finish_op(run, JobEvent::hand_over)};
  const Outcome out = apply(batch);
  ASSERT_EQ(out.claims.at(0).size(), 1u);
  EXPECT_EQ(out.claims[0][0].epoch, run.epoch + 1);
}

TEST_P(Order, ARetryWithoutDelayIsDueAndClaimedInTheSameBatch) {
  const ClaimedJob run = start();
  Batch batch;
  batch.claims = {claim_op(1, view(run.job).queue)};
  batch.dues = {{now()}};
  batch.finishes = {finish_op(run, JobEvent::retry)};
  batch.finishes[0].due = now();
  const Outcome out = apply(batch);
  EXPECT_EQ(out.dues.at(0).moved, 1);
  EXPECT_EQ(out.claims.at(0).size(), 1u);
}

TEST_P(Order, WhatIsRecoveredIsClaimedByAnotherInTheSameBatch) {
  const ClaimedJob run = start();
  Batch batch;
  batch.claims = {{view(run.job).queue, 1, other_, now()}};
  batch.recoveries = {recover_op()};
  const Outcome out = apply(batch);
  ASSERT_EQ(out.claims.at(0).size(), 1u);
  EXPECT_EQ(out.claims[0][0].lost, 1);
}

TEST_P(Order, AStartComesBeforeTheBeat) {
  const NodeId fresh = new_id();
  Batch batch;
  batch.beats = {{NodeLife{fresh, 1}}};
  batch.starts = {{fresh, "{}", now()}};
  EXPECT_TRUE(apply(batch).beats.at(0).alive);
}

TEST_P(Order, ABeatSeesTheOrdersOfTheSameBatch) {
  const ClaimedJob run = start();
  Batch batch;
  batch.beats = {{node_}};
  batch.marks = {mark_op({run.job})};
  const Outcome out = apply(batch);
  ASSERT_EQ(out.beats.at(0).orders.size(), 1u);
  EXPECT_EQ(out.beats[0].orders[0].first, run.job);
  EXPECT_EQ(out.beats[0].running, 0);
}

TEST_P(Order, ADeliveryThatEndsMayBeClaimedAgainInTheSameBatch) {
  const auto [id, delivery_id] = delivering();
  Batch batch;
  batch.delivery_claims = {{node_, now(), 1}};
  batch.delivery_ends = {{delivery_id, node_, now()}};
  batch.delivery_ends[0].retry_at = now();
  const Outcome out = apply(batch);
  EXPECT_TRUE(out.delivery_ends.at(0));
  ASSERT_EQ(out.delivery_claims.at(0).size(), 1u);
  EXPECT_EQ(out.delivery_claims[0][0].tries, 1);
}

TEST_P(Order, ClaimsOfOneBatchShareWhatIsThere) {
  const auto jobs = submit_many(3);
  Batch batch;
  batch.claims = {claim_op(2), claim_op(2)};
  const Outcome out = apply(batch);
  ASSERT_EQ(out.claims.at(0).size(), 2u);
  ASSERT_EQ(out.claims.at(1).size(), 1u);
  EXPECT_EQ(out.claims[1][0].job, jobs[2]);
}

TEST_P(Order, TheSecondMarkOfOneBatchJoinsTheFirst) {
  const ClaimedJob run = start();
  const JobId id = submit();
  Batch batch;
  batch.marks = {mark_op({run.job, id}), mark_op({id, run.job})};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.marks[1][0].answer, MarkAnswer::already_gone);
  EXPECT_EQ(out.marks[1][0].delete_id, batch.marks[0].delete_id);
  EXPECT_EQ(out.marks[1][1].answer, MarkAnswer::joined);
  EXPECT_EQ(out.marks[1][1].delete_id, batch.marks[0].delete_id);
}

TEST_P(Order, TheSecondFinishOfOneBatchIsLost) {
  const ClaimedJob run = start();
  Batch batch;
  batch.finishes = {finish_op(run, JobEvent::succeed), finish_op(run, JobEvent::exhaust)};
  const Outcome out = apply(batch);
  EXPECT_TRUE(out.finishes.at(0).written);
  EXPECT_FALSE(out.finishes.at(1).written);
  EXPECT_EQ(state(run.job), JobState::succeeded);
}

TEST_P(Order, AnErasedIdIsNotEnqueuedAgainByTheSameBatch) {
  const JobId id = submit();
  NewJob again = job();
  again.id = id;
  Batch batch;
  batch.enqueues = {submit_op(again)};
  batch.marks = {mark_op({id})};
  EXPECT_EQ(apply(batch).enqueues.at(0).answer, EnqueueAnswer::id_taken);
}

TEST_P(Order, OneIdTwiceInABatchIsTakenTheSecondTime) {
  const NewJob one = job();
  Batch batch;
  batch.enqueues = {submit_op(one), submit_op(one)};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.enqueues.at(0).answer, EnqueueAnswer::stored);
  EXPECT_EQ(out.enqueues.at(1).answer, EnqueueAnswer::id_taken);
}

TEST_P(Order, ADocumentWrittenTwiceInABatchHasTwoVersions) {
  Batch batch;
  batch.docs = {{"queue", "q", "default", "1", 0}, {"queue", "q", "default", "2", 1}};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.docs.at(0).version, 1);
  EXPECT_TRUE(out.docs.at(1).written);
  EXPECT_EQ(out.docs.at(1).version, 2);
}

TEST_P(Order, AnEmptyBatchIsFine) {
  const Outcome out = apply(Batch{});
  EXPECT_TRUE(out.marks.empty());
}

TEST_P(Order, OneBadOperationDoesNotSpoilTheRest) {
  const ClaimedJob run = start();
  Batch batch;
  ClaimedJob nobody = run;
  nobody.job = new_id();
  batch.finishes = {finish_op(nobody, JobEvent::succeed), finish_op(run, JobEvent::succeed)};
  batch.marks = {mark_op({new_id()})};
  batch.verdicts = {{new_id(), HolderKind::run, new_id(), node_, 1, Verdict::stopped, now()}};
  batch.tickets = {ticket_op(new_id(), JobEvent::fail_delete)};
  batch.forces = {{new_id(), "root", "why", now()}};
  batch.steers = {{new_id(), JobEvent::cancel, "a", now()}};
  batch.delivery_ends = {{new_id(), node_, now()}};
  batch.beats = {{NodeLife{new_id(), 1}}};
  batch.calls = {{new_id(), "{}", "{}"}};
  batch.seals = {{{{7, "aa"}}}};
  const Outcome out = apply(batch);
  EXPECT_FALSE(out.finishes.at(0).written);
  EXPECT_TRUE(out.finishes.at(1).written);
  EXPECT_EQ(out.marks[0][0].answer, MarkAnswer::not_found);
  EXPECT_EQ(out.verdicts.at(0).answer, VerdictAnswer::unknown);
  EXPECT_FALSE(out.tickets.at(0) || out.forces.at(0).erased || out.delivery_ends.at(0));
  EXPECT_EQ(out.steers.at(0).answer, SteerAnswer::not_found);
  EXPECT_FALSE(out.beats.at(0).alive || out.seals.at(0));
}

}  // namespace
}  // namespace quell::storage
