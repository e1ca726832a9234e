// What a run sends is born only while that run is its job's. What ends a sender comes before its
// births, in one batch and over two connections.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

class Sent : public StoreTest {
 protected:
  EnqueueOp sent_by(const ClaimedJob& run) {
    EnqueueOp op = submit_op(job());
    op.sender = Sender{run.job, run.epoch};
    return op;
  }
  EnqueueAnswer answer_to(const EnqueueOp& op) {
    const EnqueueAnswer answer = apply_one(&Batch::enqueues, op).enqueues.at(0).answer;
    const bool is_there = state(op.job.id) != JobState::gone;
    EXPECT_EQ(is_there, answer == EnqueueAnswer::stored);
    return answer;
  }
  // A retry: the job runs again, under the next epoch.
  ClaimedJob again(const ClaimedJob& run) {
    FinishOp op = finish_op(run, JobEvent::hand_over);
    EXPECT_TRUE(finish(op).written);
    return claim(1, "run-" + std::to_string(runs_)).at(0);
  }
};
INSTANTIATE_TEST_SUITE_P(Conformance, Sent, testing::ValuesIn(store_factories()), name_of_store);

TEST_P(Sent, ByARunThatGoesOnIsBorn) {
  const ClaimedJob run = start();
  const EnqueueOp op = sent_by(run);
  EXPECT_EQ(answer_to(op), EnqueueAnswer::stored);
  EXPECT_EQ(state(op.job.id), JobState::queued);
  EXPECT_EQ(state(run.job), JobState::running);
}

TEST_P(Sent, ByARunWhoseCancelWasAskedForIsBornForItGoesOn) {
  const ClaimedJob run = start();
  steer(run.job, JobEvent::cancel);
  EXPECT_EQ(answer_to(sent_by(run)), EnqueueAnswer::stored);
}

TEST_P(Sent, ByAMarkedRunIsNotBorn) {
  const ClaimedJob run = start();
  EXPECT_EQ(mark(run.job).answer, MarkAnswer::held);
  EXPECT_EQ(answer_to(sent_by(run)), EnqueueAnswer::sender_ended);
}

TEST_P(Sent, ByARunThatIsErasedIsNotBorn) {
  const ClaimedJob run = start();
  const MarkedJob marked = mark(run.job);
  verdict(run.job, marked.open.at(0), Verdict::stopped);
  ASSERT_EQ(state(run.job), JobState::gone);
  EXPECT_EQ(answer_to(sent_by(run)), EnqueueAnswer::sender_ended);
}

TEST_P(Sent, ByARunThatHasEndedIsNotBornWhateverItsEnd) {
  for (const JobEvent end : {JobEvent::succeed, JobEvent::exhaust, JobEvent::stopped,
                             JobEvent::retry, JobEvent::hand_over}) {
    const ClaimedJob run = start(job("of-" + std::to_string(static_cast<int>(end))));
    FinishOp op = finish_op(run, end);
    if (end == JobEvent::retry) op.due = in(60);
    ASSERT_TRUE(finish(op).written);
    EXPECT_EQ(answer_to(sent_by(run)), EnqueueAnswer::sender_ended) << static_cast<int>(end);
  }
}

TEST_P(Sent, ByAnEarlierRunOfAJobThatRunsAgainIsNotBorn) {
  const ClaimedJob first = start();
  const ClaimedJob second = again(first);
  ASSERT_EQ(second.job, first.job);
  EXPECT_EQ(answer_to(sent_by(first)), EnqueueAnswer::sender_ended);
  EXPECT_EQ(answer_to(sent_by(second)), EnqueueAnswer::stored);
}

TEST_P(Sent, ByNobodyThatIsKnownIsNotBorn) {
  EnqueueOp op = submit_op(job());
  op.sender = Sender{new_id(), 1};
  EXPECT_EQ(answer_to(op), EnqueueAnswer::sender_ended);
}

TEST_P(Sent, InOneBatchWithTheMarkOfItsSenderIsNotBorn) {
  const ClaimedJob run = start(), other = start();
  Batch batch;
  batch.marks = {mark_op({run.job})};
  batch.enqueues = {sent_by(run), sent_by(other), submit_op(job())};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.enqueues.at(0).answer, EnqueueAnswer::sender_ended);
  EXPECT_EQ(out.enqueues.at(1).answer, EnqueueAnswer::stored);
  EXPECT_EQ(out.enqueues.at(2).answer, EnqueueAnswer::stored);
  EXPECT_EQ(state(batch.enqueues[0].job.id), JobState::gone);
}

TEST_P(Sent, InOneBatchWithTheEndOfItsSenderIsNotBorn) {
  const ClaimedJob run = start();
  Batch batch;
  batch.finishes = {finish_op(run, JobEvent::succeed)};
  batch.enqueues = {sent_by(run)};
  const Outcome out = apply(batch);
  EXPECT_TRUE(out.finishes.at(0).written);
  EXPECT_EQ(out.enqueues.at(0).answer, EnqueueAnswer::sender_ended);
}

TEST_P(Sent, BesideTheLossOfItsSendersNodeIsNotBorn) {
  const ClaimedJob run = start();
  recover();
  ASSERT_EQ(state(run.job), JobState::queued);
  EXPECT_EQ(answer_to(sent_by(run)), EnqueueAnswer::sender_ended);
}

TEST_P(Sent, ToATakenIdByOneThatHasEndedLearnsNothingOfTheId) {
  const ClaimedJob run = start();
  const JobId taken = submit();
  mark(run.job);
  EnqueueOp op = sent_by(run);
  op.job.id = taken;
  EXPECT_EQ(apply_one(&Batch::enqueues, op).enqueues.at(0).answer, EnqueueAnswer::sender_ended);
  EXPECT_EQ(state(taken), JobState::queued);
}

TEST_P(Sent, ThatIsRefusedLeavesItsKeyFree) {
  const ClaimedJob run = start();
  mark(run.job);
  EnqueueOp op = sent_by(run);
  op.job.unique_key = "one at a time";
  EXPECT_EQ(answer_to(op), EnqueueAnswer::sender_ended);
  NewJob next = job();
  next.unique_key = op.job.unique_key;
  EXPECT_EQ(enqueue(next).answer, EnqueueAnswer::stored);
}

}  // namespace
}  // namespace quell::storage
