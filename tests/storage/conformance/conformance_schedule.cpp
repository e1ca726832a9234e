// Schedules: a fire is its jobs and the next time in one, and only of what is active and as it was
// read.
#include "tests/storage/conformance/schedule_store.hpp"

namespace quell::storage {
namespace {

INSTANTIATE_TEST_SUITE_P(Conformance, ScheduleStore, testing::ValuesIn(store_factories()),
                         name_of_store);

TEST_P(ScheduleStore, IsMadeOnceAndChangedUnderTheVersionThatWasRead) {
  const Uuid id = new_id();
  EXPECT_FALSE(put(put_op(id, 1)).written);
  EXPECT_FALSE(put(put_op(id, std::nullopt)).written);
  EXPECT_EQ(put(put_op(id)).version, 1);
  EXPECT_FALSE(put(put_op(id)).written);
  SchedulePutOp change = put_op(id, 1);
  change.row.status = ScheduleStatus::disabled;
  change.row.next = change.row.wake = std::nullopt;
  EXPECT_EQ(put(change).version, 2);
  EXPECT_FALSE(put(change).written);
  EXPECT_EQ(row(id).status, ScheduleStatus::disabled);
  EXPECT_EQ(row(id).created, row(id).changed);
}

TEST_P(ScheduleStore, OtherTimesCountWhatWasDueAsMissedAndOtherWordsKeepIt) {
  const Uuid task = made();
  const Instant due = *row(task).next;
  pass(70);
  SchedulePutOp reworded = put_op(task, 1);
  reworded.row.next = reworded.row.wake = in(600);
  reworded.keep_times = true;
  ASSERT_TRUE(put(reworded).written);
  EXPECT_EQ(row(task).next, due);
  EXPECT_EQ(row(task).wake, due);
  reworded.if_version = 2;
  reworded.look_anew = true;
  ASSERT_TRUE(put(reworded).written);
  EXPECT_EQ(row(task).next, due);
  EXPECT_EQ(row(task).wake, now());
  EXPECT_EQ(row(task).missed, 0);
  SchedulePutOp changed = put_op(task, 3);
  changed.if_next = due;
  changed.overdue = 3;
  ASSERT_TRUE(put(changed).written);
  EXPECT_EQ(row(task).missed, 3);
  changed.if_version = 4;
  ASSERT_TRUE(put(changed).written);
  EXPECT_EQ(row(task).missed, 3) << "nothing was due";
  pass(70);
  changed.now = now();
  changed.if_version = 5;
  ASSERT_TRUE(put(changed).written);
  EXPECT_EQ(row(task).missed, 4) << "another than the one that was read";
}

TEST_P(ScheduleStore, OneThatWaitsIsMissedWhenItsTimesChange) {
  const Uuid task = made();
  pass(60);
  ASSERT_EQ(fire(task, Overlap::queue_one).born.size(), 1U);
  ASSERT_TRUE(fire(task, Overlap::queue_one).waits);
  SchedulePutOp changed = put_op(task, 1);
  changed.row.status = ScheduleStatus::disabled;
  changed.row.next = changed.row.wake = std::nullopt;
  ASSERT_TRUE(put(changed).written);
  EXPECT_EQ(row(task).waiting, std::nullopt);
  EXPECT_EQ(row(task).missed, 1);
}

TEST_P(ScheduleStore, FiresItsJobAndMovesItsTimeInOne) {
  const Uuid task = made();
  const Instant due = *row(task).next;
  pass(60);
  const FireResult fired = fire(task);
  EXPECT_EQ(fired.answer, FireAnswer::fired);
  ASSERT_EQ(fired.born, std::vector{fire_id(task, due)});
  EXPECT_EQ(view(fired.born[0]).options.schedule, task.text());
  const ScheduleRow is = row(task);
  EXPECT_EQ(is.next, due + std::chrono::seconds(60));
  EXPECT_EQ(is.last, due);
  EXPECT_EQ(is.last_job, fired.born[0]);
  EXPECT_EQ(is.fired, 1);
  EXPECT_EQ(is.version, 1);
}

TEST_P(ScheduleStore, FiresADueTimeOnceHoweverManyTry) {
  const Uuid task = made();
  pass(60);
  const FireOp op = fire_op(task);
  EXPECT_EQ(fire(op).answer, FireAnswer::fired);
  EXPECT_EQ(fire(op).answer, FireAnswer::fenced);
  Batch both;
  FireOp again = fire_op(task);
  again.jobs.push_back(op.jobs[0]);  // as after a clock that was put back
  both.fires = {again, again};
  const Outcome out = apply(both);
  EXPECT_EQ(out.fires[0].born.size(), 1U);
  EXPECT_EQ(out.fires[1].answer, FireAnswer::fenced);
  EXPECT_EQ(row(task).fired, 2);
}

TEST_P(ScheduleStore, ADueTimeThatFiredDoesNotFireAgainWhenItsJobIsGone) {
  const Uuid task = made();
  pass(60);
  const FireOp first = fire_op(task);
  ASSERT_EQ(fire(first).born.size(), 1U);
  ASSERT_EQ(mark(first.jobs[0].job.id).answer, MarkAnswer::erased);
  FireOp again = fire_op(task);
  again.jobs = first.jobs;
  EXPECT_EQ(fire(again).answer, FireAnswer::held_back);
  EXPECT_EQ(row(task).fired, 1);
  EXPECT_EQ(row(task).overlaps, 0);
}

TEST_P(ScheduleStore, FiresOnlyWhatIsActive) {
  const Uuid task = made();
  pass(60);
  const FireOp op = fire_op(task);
  SchedulePutOp pause = put_op(task, 1);
  pause.row.status = ScheduleStatus::disabled;
  pause.row.next = pause.row.wake = std::nullopt;
  ASSERT_TRUE(put(pause).written);
  EXPECT_EQ(fire(op).answer, FireAnswer::fenced);
  FireOp by_hand = op;
  by_hand.by_hand = true;
  by_hand.jobs[0].job.id = new_id();
  EXPECT_EQ(fire(by_hand).answer, FireAnswer::fired);
  ASSERT_EQ(ask_delete(message(task)), TaskDeleteAnswer::scheduled);
  EXPECT_EQ(fire(op).answer, FireAnswer::fenced);
  by_hand.jobs[0].job.id = new_id();
  EXPECT_EQ(fire(by_hand).answer, FireAnswer::fenced);
}

TEST_P(ScheduleStore, AFireInTheBatchOfADeleteIsBehindIt) {
  const Uuid task = made();
  pass(60);
  Batch both;
  both.fires.push_back(fire_op(task));
  both.task_deletes.push_back({message(task), now()});
  const Outcome out = apply(both);
  EXPECT_EQ(out.task_deletes[0].answer, TaskDeleteAnswer::scheduled);
  EXPECT_EQ(out.fires[0].answer, FireAnswer::fenced);
  EXPECT_TRUE(all_jobs().empty());
}

TEST_P(ScheduleStore, SkipsWhileItsJobLives) {
  const Uuid task = made();
  pass(60);
  ASSERT_EQ(fire(task, Overlap::skip).born.size(), 1U);
  const FireResult held = fire(task, Overlap::skip);
  EXPECT_EQ(held.answer, FireAnswer::held_back);
  EXPECT_EQ(held.overlaps, 1);
  ASSERT_EQ(claim(1).size(), 1U);
  EXPECT_EQ(fire(task, Overlap::skip).born.size(), 0U);
  EXPECT_EQ(row(task).overlaps, 2);
}

// A delete that was asked for is no proof that the run is down.
TEST_P(ScheduleStore, ARunThatIsBeingDeletedIsAnOverlapUntilItIsDown) {
  for (const Overlap overlap : {Overlap::skip, Overlap::queue_one}) {
    const Uuid task = made();
    pass(60);
    const JobId first = fire(task, overlap).born.at(0);
    ASSERT_EQ(claim(1).size(), 1U);
    const MarkedJob marked = mark(first);
    ASSERT_EQ(marked.open.size(), 1U);
    EXPECT_EQ(fire(task, overlap).born.size(), 0U) << to_string(overlap);
    EXPECT_EQ(row(task).waiting.has_value(), overlap == Overlap::queue_one);
    EXPECT_EQ(fire(task, Overlap::cancel_old).born.size(), 1U) << "it waits for none";
    for (const JobView& one : all_jobs())
      if (one.state == JobState::queued) steer(one.id, JobEvent::cancel);
    ASSERT_EQ(verdict(first, marked.open[0], Verdict::stopped).answer, VerdictAnswer::erased);
    EXPECT_EQ(fire(task, overlap).born.size(), 1U) << to_string(overlap);
    for (const JobView& one : all_jobs())
      if (one.state == JobState::queued) steer(one.id, JobEvent::cancel);
  }
}

// What was never running holds nothing, and neither does its delivery.
TEST_P(ScheduleStore, AJobThatWaitedAndIsDeletedIsNoOverlap) {
  const Uuid task = made();
  pass(60);
  ASSERT_EQ(mark(fire(task, Overlap::skip).born.at(0)).open.size(), 0U);
  EXPECT_EQ(fire(task, Overlap::skip).born.size(), 1U);
}

TEST_P(ScheduleStore, QueuesOneBehindTheJobThatLives) {
  const Uuid task = made();
  pass(60);
  const JobId first = fire(task, Overlap::queue_one).born.at(0);
  const Instant second_due = *row(task).next;
  FireResult waits = fire(task, Overlap::queue_one);
  EXPECT_TRUE(waits.waits);
  EXPECT_EQ(row(task).waiting, second_due);
  EXPECT_EQ(row(task).wake, in(1));
  waits = fire(task, Overlap::queue_one);
  EXPECT_EQ(waits.overlaps, 1);
  EXPECT_EQ(row(task).waiting, second_due);
  steer(first, JobEvent::cancel);
  FireOp op = fire_op(task, Overlap::queue_one);
  op.jobs.resize(1);
  op.next = op.wake = op.if_next;
  EXPECT_EQ(fire(op).born, std::vector{fire_id(task, second_due)});
  EXPECT_EQ(row(task).waiting, std::nullopt);
}

// There is no moment at which the new one is there and nobody has told the old ones to go.
TEST_P(ScheduleStore, AFireCancelsTheOldJobsInItsOwnCommit) {
  const Uuid task = made();
  pass(60);
  const JobId running = fire(task, Overlap::cancel_old).born.at(0);
  const ClaimedJob run = claim(1).at(0);
  const JobId queued = fire(task).born.at(0);
  FireOp op = fire_op(task, Overlap::cancel_old);
  op.cancelled_expires = in(500);
  const FireResult fresh = fire(op);
  ASSERT_EQ(fresh.born.size(), 1U);
  ASSERT_EQ(fresh.cancelled.size(), 2U);
  EXPECT_EQ(fresh.cancelled[0].first, running);
  EXPECT_EQ(fresh.cancelled[0].second.answer, SteerAnswer::requested);
  EXPECT_EQ(fresh.cancelled[0].second.runner.value().owner, node_);
  EXPECT_EQ(fresh.cancelled[1].first, queued);
  EXPECT_EQ(view(queued).state, JobState::cancelled);
  EXPECT_EQ(view(queued).expires, in(500));
  EXPECT_EQ(view(fresh.born[0]).state, JobState::queued);
  // The run that is to end is handed over, as by a node that stops: it does not start again.
  EXPECT_EQ(finish(run, JobEvent::hand_over).state, JobState::cancelled);
}

TEST_P(ScheduleStore, AFireThatCancelsTheOldGoesWithABirthThatNamesItsSender) {
  const ClaimedJob sender = start();
  const Uuid task = made();
  pass(60);
  const JobId old = fire(task).born.at(0);
  Batch batch;
  batch.fires = {fire_op(task, Overlap::cancel_old)};
  for (const ClaimedJob& run : {sender, claim(1).at(0)}) {
    EnqueueOp& sent = batch.enqueues.emplace_back(submit_op(job()));
    sent.sender = Sender{run.job, run.epoch};
  }
  const Outcome out = apply(batch);
  ASSERT_EQ(out.fires.at(0).cancelled.size(), 1U);
  EXPECT_EQ(out.fires[0].cancelled[0].first, old);
  for (const EnqueueResult& sent : out.enqueues) EXPECT_EQ(sent.answer, EnqueueAnswer::stored);
}

TEST_P(ScheduleStore, AFireThatBearsNothingCancelsNothing) {
  const Uuid task = made();
  pass(60);
  const FireOp op = fire_op(task, Overlap::cancel_old);
  const JobId old = fire(op).born.at(0);
  FireOp again = fire_op(task, Overlap::cancel_old);
  again.jobs = op.jobs;
  const FireResult none = fire(again);
  EXPECT_EQ(none.answer, FireAnswer::held_back);
  EXPECT_TRUE(none.cancelled.empty());
  EXPECT_EQ(view(old).state, JobState::queued);
}

TEST_P(ScheduleStore, AUniqueKeyOfItsOwnThatIsTakenIsAnOverlap) {
  const Uuid task = made();
  NewJob other = job();
  other.unique_key = "mine";
  const JobId has_it = submit(other);
  FireOp op = fire_op(task);
  op.jobs[0].job.unique_key = "mine";
  const FireResult held = fire(op);
  EXPECT_EQ(held.answer, FireAnswer::held_back);
  EXPECT_EQ(held.existing, has_it);
  EXPECT_EQ(held.existing_state, JobState::queued);
  EXPECT_EQ(row(task).overlaps, 1);
}

TEST_P(ScheduleStore, AFireByHandAndADeleteOfOneVersionAreOfNoOther) {
  const Uuid task = made();
  pass(60);
  ASSERT_EQ(put(put_op(task, 1)).version, 2);
  FireOp fires = fire_op(task);
  fires.by_hand = true;
  TaskDeleteOp removes{message(task), now()};
  fires.if_version = removes.if_version = 1;
  const FireResult fired = fire(fires);
  EXPECT_EQ(fired.answer, FireAnswer::changed);
  EXPECT_EQ(fired.version, 2);
  const auto removed = apply_one(&Batch::task_deletes, removes).task_deletes.at(0);
  EXPECT_EQ(removed.answer, TaskDeleteAnswer::changed);
  EXPECT_EQ(removed.version, 2);
  EXPECT_TRUE(all_jobs().empty() && due_messages().empty());
  EXPECT_EQ(row(task).status, ScheduleStatus::active);
  fires.if_version = removes.if_version = 2;
  EXPECT_EQ(fire(fires).answer, FireAnswer::fired);
  const auto again = [&] { return apply_one(&Batch::task_deletes, removes).task_deletes.at(0); };
  EXPECT_EQ(again().answer, TaskDeleteAnswer::scheduled);
  EXPECT_EQ(again().answer, TaskDeleteAnswer::joined) << "it was that one";
}

TEST_P(ScheduleStore, TheAuditSaysWhatAnOpDidAndNothingOfWhatItDidNot) {
  const auto said = [&](const std::string& what) {
    std::int64_t rows = 0;
    const auto all = std::move(reader().audit(0, 100)).value();
    for (const AuditRow& one : all) rows += one.what == what ? 1 : 0;
    return rows;
  };
  const auto audit = [&](const char* what) { return AuditOp{now(), "who", what, "ref", "{}"}; };
  const Uuid task = new_id();
  SchedulePutOp puts = put_op(task);
  puts.audit = audit("put");
  EXPECT_TRUE(put(puts).written);
  EXPECT_FALSE(put(puts).written);
  EXPECT_EQ(said("put"), 1);
  puts.if_version = 1;
  puts.keep_times = true;
  EXPECT_TRUE(put(puts).written);
  EXPECT_EQ(said("put"), 2);
  FireOp fires = fire_op(task);
  fires.by_hand = true;
  fires.audit = audit("fired");
  EXPECT_EQ(fire(fires).answer, FireAnswer::fired);
  EXPECT_EQ(fire(fires).answer, FireAnswer::held_back);
  fires.if_version = 9;
  EXPECT_EQ(fire(fires).answer, FireAnswer::changed);
  EXPECT_EQ(said("fired"), 1);
  const auto ask = [&](const Uuid& id, const std::string& project, std::int64_t version) {
    TaskDeleteOp op{message(id), now(), version};
    op.message.project = project;
    op.audit = audit("deleted");
    return apply_one(&Batch::task_deletes, op).task_deletes.at(0).answer;
  };
  EXPECT_EQ(ask(new_id(), "", 2), TaskDeleteAnswer::gone);
  EXPECT_EQ(ask(task, "another", 2), TaskDeleteAnswer::gone);
  EXPECT_EQ(ask(task, "", 1), TaskDeleteAnswer::changed);
  EXPECT_EQ(said("deleted"), 0);
  EXPECT_EQ(ask(task, "", 2), TaskDeleteAnswer::scheduled);
  EXPECT_EQ(ask(task, "", 2), TaskDeleteAnswer::joined);
  EXPECT_EQ(said("deleted"), 2);
}

TEST_P(ScheduleStore, ListsByIdAndWhatIsDueByItsTime) {
  const Uuid first = made();
  pass(1);
  const Uuid second = new_id();
  SchedulePutOp early = put_op(second);
  early.row.next = early.row.wake = in(5);
  early.row.group = "mail";
  ASSERT_TRUE(put(early).written);
  ScheduleQuery query;
  EXPECT_EQ(std::move(reader().schedules(query)).value().size(), 2U);
  query.after = first;
  EXPECT_EQ(std::move(reader().schedules(query)).value().at(0).id, second);
  query = {};
  query.group = "reports";
  EXPECT_EQ(std::move(reader().schedules(query)).value().at(0).id, first);
  query = {};
  query.due_by = in(100);
  EXPECT_EQ(std::move(reader().schedules(query)).value().at(0).id, second);
  query.due_by = in(4);
  EXPECT_TRUE(std::move(reader().schedules(query)).value().empty());
  EXPECT_EQ(std::move(reader().next_wake()).value(), in(5));
}

}  // namespace
}  // namespace quell::storage
