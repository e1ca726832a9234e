// Marks: every answer, and what is gone with them.
#include "storage/call_slices.hpp"
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Mark);

TEST_P(Mark, WhatNobodyHoldsIsErasedAtOnce) {
  NewJob wanted = job("mails");
  submit(wanted);
  const MarkOp op = mark_op({wanted.id});
  const MarkedJob marked = mark(op).at(0);
  EXPECT_EQ(marked.job, wanted.id);
  EXPECT_EQ(marked.answer, MarkAnswer::erased);
  EXPECT_EQ(marked.was, JobState::queued);
  EXPECT_EQ(marked.epoch, 1);
  EXPECT_EQ(marked.delete_id, op.delete_id);
  EXPECT_EQ(marked.queue, "mails");
  EXPECT_EQ(marked.deliveries_removed, 0);
  EXPECT_TRUE(marked.open.empty());
  EXPECT_FALSE(marked.deleted_at.has_value());
  EXPECT_FALSE(find_ticket(wanted.id).has_value());
}

TEST_P(Mark, ARunHoldsItsJob) {
  const ClaimedJob run = start();
  const MarkOp op = mark_op({run.job});
  const MarkedJob marked = mark(op).at(0);
  EXPECT_EQ(marked.answer, MarkAnswer::held);
  EXPECT_EQ(marked.was, JobState::running);
  EXPECT_EQ(marked.epoch, run.epoch + 1);
  ASSERT_EQ(marked.open.size(), 1u);
  EXPECT_EQ(marked.open[0].what, HolderKind::run);
  EXPECT_EQ(marked.open[0].ref, run.job);
  EXPECT_EQ(marked.open[0].owner, node_);
  EXPECT_EQ(marked.open[0].epoch, run.epoch);
  const JobView seen = view(run.job);
  EXPECT_EQ(seen.state, JobState::pending_delete);
  EXPECT_EQ(seen.delete_id, op.delete_id);
  EXPECT_EQ(seen.epoch, marked.epoch);
  EXPECT_FALSE(seen.node.has_value());
  EXPECT_TRUE(reader().running(node_)->empty());
}

TEST_P(Mark, ATicketSaysWhoAndWhy) {
  const ClaimedJob run = start();
  MarkOp op = mark_op({run.job});
  op.who = "ann";
  op.reason = "too dear";
  mark(op);
  const TicketView seen = ticket_of(run.job);
  EXPECT_EQ(seen.delete_id, op.delete_id);
  EXPECT_EQ(seen.state, JobState::pending_delete);
  EXPECT_EQ(seen.was, JobState::running);
  EXPECT_EQ(seen.who, "ann");
  EXPECT_EQ(seen.reason, "too dear");
  EXPECT_EQ(seen.error, "");
  EXPECT_EQ(seen.at, now());
  EXPECT_EQ(seen.tries, 0);
  EXPECT_FALSE(seen.next_try || seen.forced);
  EXPECT_EQ(seen.open.size(), 1u);
}

TEST_P(Mark, ASecondCallJoinsTheFirst) {
  const MarkedJob first = held();
  const MarkedJob second = mark(first.job);
  EXPECT_EQ(second.answer, MarkAnswer::joined);
  EXPECT_EQ(second.delete_id, first.delete_id);
  EXPECT_EQ(second.was, JobState::running);
  EXPECT_EQ(second.epoch, first.epoch);
  ASSERT_EQ(second.open.size(), 1u);
  EXPECT_EQ(second.open[0].ref, first.open[0].ref);
  EXPECT_EQ(view(first.job).delete_id, first.delete_id);
}

TEST_P(Mark, ADeletedJobIsAlreadyGone) {
  const JobId id = finished(JobEvent::succeed);
  const MarkedJob first = mark(id);
  const Instant then = now();
  pass(10);
  const MarkedJob second = mark(id);
  EXPECT_EQ(second.answer, MarkAnswer::already_gone);
  EXPECT_EQ(second.delete_id, first.delete_id);
  EXPECT_EQ(second.deleted_at, then);
  EXPECT_EQ(second.was, JobState::succeeded);
}

TEST_P(Mark, AnUnknownJobIsNotFound) {
  const JobId id = new_id();
  const MarkedJob marked = mark(id);
  EXPECT_EQ(marked.job, id);
  EXPECT_EQ(marked.answer, MarkAnswer::not_found);
  EXPECT_FALSE(tomb(id).has_value());
}

TEST_P(Mark, AProtectedJobIsRefusedUnchanged) {
  NewJob wanted = job();
  wanted.options.is_protected = true;
  submit(wanted);
  const MarkedJob marked = mark(wanted.id);
  EXPECT_EQ(marked.answer, MarkAnswer::protected_job);
  EXPECT_EQ(marked.was, JobState::queued);
  EXPECT_EQ(marked.epoch, 0);
  EXPECT_EQ(state(wanted.id), JobState::queued);
  EXPECT_EQ(claim(1).size(), 1u);
  EXPECT_EQ(mark(wanted.id).answer, MarkAnswer::protected_job);
}

TEST_P(Mark, AnotherProjectsJobIsNotFound) {
  const JobId waiting = submit(), leaving = held().job;
  MarkOp op = mark_op({waiting, leaving});
  op.project = "other";
  for (const MarkedJob& one : mark(op)) {
    EXPECT_EQ(one.answer, MarkAnswer::not_found);
    EXPECT_TRUE(one.open.empty());
    EXPECT_EQ(one.queue, "");
  }
  EXPECT_EQ(state(waiting), JobState::queued);
  op = mark_op({waiting});
  op.project = "default";
  EXPECT_EQ(mark(op).at(0).answer, MarkAnswer::erased);
}

TEST_P(Mark, OneCallAnswersEachIdInItsOrder) {
  NewJob safe = job();
  safe.options.is_protected = true;
  submit(safe);
  const JobId gone = in_state(JobState::gone), waits = submit(), runs = start().job;
  const JobId leaves = held().job, unknown = new_id(), ended = finished(JobEvent::exhaust);
  const MarkOp op = mark_op({unknown, runs, safe.id, gone, ended, leaves, waits});
  const auto marked = mark(op);
  const MarkAnswer expected[] = {MarkAnswer::not_found,     MarkAnswer::held,
                                 MarkAnswer::protected_job, MarkAnswer::already_gone,
                                 MarkAnswer::erased,        MarkAnswer::joined,
                                 MarkAnswer::erased};
  ASSERT_EQ(marked.size(), 7u);
  for (std::size_t i = 0; i < marked.size(); ++i) {
    EXPECT_EQ(marked[i].job, op.jobs[i]) << i;
    EXPECT_EQ(marked[i].answer, expected[i]) << i;
  }
}

// Of so many that a store may do them together.
TEST_P(Mark, ManyJobsOfEveryKindAreEachMarkedAsIfAlone) {
  std::vector<JobId> jobs = submit_many(20);
  for (int i = 0; i < 20; ++i) jobs.push_back(finished(JobEvent::succeed));
  const JobId ran = jobs.back(), waits = submit_later(60), unknown = new_id();
  const Instant started = *view(ran).started, finish = *view(ran).finished;
  NewJob kept = job();
  kept.options.is_protected = true;
  const ClaimedJob run = start(job("other"));
  for (const JobId& one : {waits, submit(kept), run.job, unknown}) jobs.push_back(one);
  const MarkOp op = mark_op(jobs);
  const std::vector<MarkedJob> marked = mark(op);
  ASSERT_EQ(marked.size(), jobs.size());
  for (std::size_t i = 0; i < 41; ++i) {
    EXPECT_EQ(marked[i].job, jobs[i]);
    EXPECT_EQ(marked[i].answer, MarkAnswer::erased);
    EXPECT_EQ(state(jobs[i]), JobState::gone);
    EXPECT_EQ(tomb(jobs[i])->was, marked[i].was);
    EXPECT_EQ(tomb(jobs[i])->delete_id, op.delete_id);
    EXPECT_EQ(tomb(jobs[i])->verdict, Verdict::not_running);
  }
  EXPECT_EQ(marked[41].answer, MarkAnswer::protected_job);
  EXPECT_EQ(marked[42].answer, MarkAnswer::held);
  EXPECT_EQ(marked[43].answer, MarkAnswer::not_found);
  EXPECT_EQ(tomb(waits)->was, JobState::scheduled);
  const auto told = reader().trace_rows(ran, "", 10);
  EXPECT_EQ(told->tomb->life.started, started);
  EXPECT_EQ(told->tomb->life.finished, finish);
  EXPECT_EQ(all_jobs().size(), 2u);
}

TEST_P(Mark, ACallWithoutJobsLeavesOnlyItsReceipt) {
  const MarkOp op = mark_op({});
  EXPECT_TRUE(mark(op).empty());
  EXPECT_TRUE(reader().call(op.delete_id)->has_value());
  EXPECT_TRUE(reader().audit(0, 10)->empty());
}

TEST_P(Mark, WaitingDeliveriesGoAndThoseInFlightHold) {
  FinishOp op = finish_op(start(), JobEvent::succeed);
  op.deliveries = {delivery(0), delivery(1), delivery(60), delivery(70)};
  finish(op);
  pass(2);
  EXPECT_EQ(claim_deliveries(10).size(), 2u);
  EXPECT_TRUE(end_delivery(op.deliveries[0].id, {}));
  const MarkedJob marked = mark(op.job);
  EXPECT_EQ(marked.answer, MarkAnswer::held);
  EXPECT_EQ(marked.deliveries_removed, 2);
  ASSERT_EQ(marked.open.size(), 1u);
  EXPECT_EQ(marked.open[0].what, HolderKind::delivery);
  EXPECT_EQ(marked.open[0].ref, op.deliveries[1].id);
  EXPECT_EQ(marked.open[0].owner, node_);
  EXPECT_EQ(marked.open[0].epoch, 0);
  EXPECT_FALSE(reader().next_delivery()->has_value());
  pass(1'000);
  EXPECT_TRUE(claim_deliveries(10).empty());
}

TEST_P(Mark, EverythingOfTheJobIsGone) {
  NewJob wanted = job();
  wanted.args = "{}";
  wanted.unique_key = "k";
  const ClaimedJob run = start(wanted);
  FlushOp flushed = flush_op(run);
  flushed.partials = {"p"};
  flushed.logs = {{now(), "info", "l"}};
  flushed.steps = {{"s", "1"}};
  flush(flushed);
  FinishOp op = finish_op(run, JobEvent::succeed);
  op.result = "1";
  op.attempt = AttemptRecord{1, {}, now(), "succeeded", "", ""};
  op.deliveries = {delivery(100)};
  finish(op);
  EXPECT_EQ(mark(run.job).answer, MarkAnswer::erased);
  EXPECT_FALSE(found(run.job).job.has_value());
  EXPECT_TRUE(reader().partials(run.job, 0, 10)->empty());
  EXPECT_TRUE(reader().logs(run.job, 0, 10)->empty());
  EXPECT_TRUE(reader().steps(run.job)->empty());
  EXPECT_TRUE(reader().attempts(run.job)->empty());
  EXPECT_TRUE(reader().deliveries(run.job)->empty());
  EXPECT_TRUE(all_jobs().empty());
  EXPECT_TRUE(reader().counts("")->empty());
}

TEST_P(Mark, ATombstoneIsLeft) {
  const JobId id = finished(JobEvent::stopped);
  MarkOp op = mark_op({id});
  op.who = "ann";
  op.reason = "tidy";
  mark(op);
  const auto left = tomb(id);
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(left->job, id);
  EXPECT_EQ(left->delete_id, op.delete_id);
  EXPECT_EQ(left->at, now());
  EXPECT_EQ(left->until, op.tomb_until);
  EXPECT_EQ(left->was, JobState::cancelled);
  EXPECT_EQ(left->verdict, Verdict::not_running);
  EXPECT_EQ(left->who, "ann");
  EXPECT_EQ(left->reason, "tidy");
}

TEST_P(Mark, TheCallIsKept) {
  MarkOp op = mark_op({submit()});
  op.path = "filter";
  mark(op);
  const auto call = reader().call(op.delete_id);
  ASSERT_TRUE(call.ok() && call->has_value());
  EXPECT_EQ((*call)->delete_id, op.delete_id);
  EXPECT_EQ((*call)->who, "tester");
  EXPECT_EQ((*call)->reason, "because");
  EXPECT_EQ((*call)->path, "filter");
  EXPECT_EQ((*call)->at, now());
  EXPECT_EQ((*call)->counts + (*call)->receipt, "");
}

TEST_P(Mark, ACallOfSeveralSlicesIsMarkedWhenEachOfThemIs) {
  const JobId jobs[] = {submit(), start().job, submit()};
  MarkOp op = mark_op({});
  op.slices = 3;
  const auto is_marked = [&] { return (*reader().call(op.delete_id))->is_marked; };
  for (const int slice : {2, 0, 2, 0}) {  // in any order, and again when nobody heard the answer
    op.slice = slice;
    op.jobs = {jobs[slice]};
    mark(op);
    EXPECT_FALSE(is_marked()) << slice;
    EXPECT_FALSE(reader().calls({}, 1)->at(0).is_marked) << slice;
  }
  op.slice = 1;
  op.jobs = {jobs[1]};
  mark(op);
  EXPECT_TRUE(is_marked());
  EXPECT_EQ((*reader().call(op.delete_id))->counts, "");
  apply_one(&Batch::calls, CallOp{op.delete_id, "{}", "receipt"});
  EXPECT_TRUE(is_marked());
  EXPECT_EQ((*reader().call(op.delete_id))->counts, "{}");
}

TEST_P(Mark, ACallNotesTheJobsThatItJoinedUntilItHasItsLastWord) {
  const MarkedJob first = held(), other = held();
  MarkOp op = mark_op({first.job, submit()});
  mark(op);
  mark(op);  // again when nobody heard the answer
  const auto kept = [&] { return **reader().call(op.delete_id); };
  EXPECT_TRUE(kept().is_marked);
  const std::vector<JobId> joined{first.job};
  EXPECT_EQ(kept().joined, joined);
  EXPECT_EQ(reader().calls({}, 1)->at(0).joined, joined);
  EXPECT_EQ(kept().counts, "");
  EXPECT_FALSE(kept().joined_more);
  const auto open = open_joined(reader(), kept(), now());
  ASSERT_EQ(open->size(), 1u);
  EXPECT_EQ(open->at(0).delete_id, first.delete_id);
  verdict(first.job, first.open[0], Verdict::stopped);
  EXPECT_TRUE(open_joined(reader(), kept(), now())->empty()) << "it is gone";
  apply_one(&Batch::calls, CallOp{op.delete_id, "{}", "receipt"});
  op.jobs = {other.job};
  mark(op);
  EXPECT_EQ(kept().counts, "{}");
  EXPECT_TRUE(kept().joined.empty());
}

TEST_P(Mark, SlicesOfACallNoteWhatTheyJoined) {
  const JobId jobs[] = {held().job, held().job};
  MarkOp op = mark_op({});
  op.slices = 2;
  const auto kept = [&] { return **reader().call(op.delete_id); };
  for (const int slice : {1, 0}) {
    EXPECT_TRUE(slice == 1 || !kept().is_marked);
    op.slice = slice;
    op.jobs = {jobs[slice]};
    mark(op);
  }
  EXPECT_TRUE(kept().is_marked);
  EXPECT_EQ(kept().joined, (std::vector<JobId>{jobs[1], jobs[0]})) << "as they were marked";
}

TEST(JoinedJobs, AreNamedUpToTheirMost) {
  std::vector<JobId> jobs;
  for (int n = 0; n < 1'500; ++n) {
    JobId& job = jobs.emplace_back();
    job.bytes[14] = static_cast<std::uint8_t>(n / 256);
    job.bytes[15] = static_cast<std::uint8_t>(n % 256);
  }
  CallView call;
  call.counts = with_joined(with_joined("", jobs), jobs);
  read_note(call);
  EXPECT_TRUE(call.is_marked && call.joined_more);
  EXPECT_GT(call.joined.size(), 900u);
  EXPECT_LE(call.joined.size(), joined_most);
}

TEST_P(Mark, RetentionKeepsNoReceipt) {
  MarkOp op = mark_op({submit()});
  op.keep_receipt = false;
  mark(op);
  EXPECT_FALSE(reader().call(op.delete_id)->has_value());
  EXPECT_EQ(tomb(op.jobs[0])->who, "");
  EXPECT_EQ(tomb(op.jobs[0])->reason, "");
  EXPECT_EQ(reader().audit(0, 10)->size(), 1u);
}

TEST_P(Mark, TheSameCallAgainIsSafe) {
  const JobId waits = submit(), runs = start().job;
  const MarkOp op = mark_op({waits, runs});
  const auto first = mark(op);
  const auto again = mark(op);
  EXPECT_EQ(again.at(0).answer, MarkAnswer::already_gone);
  EXPECT_EQ(again.at(0).delete_id, op.delete_id);
  EXPECT_EQ(again.at(1).answer, MarkAnswer::joined);
  EXPECT_EQ(again.at(1).delete_id, op.delete_id);
  EXPECT_EQ(again.at(1).epoch, first.at(1).epoch);
  EXPECT_EQ(reader().calls({}, 10)->size(), 1u);
}

TEST_P(Mark, TheReceiptIsWrittenAndImproved) {
  const MarkOp op = mark_op({submit()});
  mark(op);
  for (const char* text : {R"({"v":1})", R"({"v":2})"}) {
    apply_one(&Batch::calls, CallOp{op.delete_id, text, "receipt"});
    const auto call = reader().call(op.delete_id);
    EXPECT_EQ((*call)->counts, text);
    EXPECT_EQ((*call)->receipt, "receipt");
  }
  EXPECT_FALSE(reader().call(new_id())->has_value());
}

TEST_P(Mark, AReceiptOfAnyLengthComesBackAsItWasGiven) {
  const MarkOp op = mark_op({submit()});
  mark(op);
  for (const std::size_t length : {100u, 20'000u, 2'000'000u}) {
    std::string receipt;
    while (receipt.size() < length) receipt += new_id().text() + R"(","was":"running",)";
    apply_one(&Batch::calls, CallOp{op.delete_id, "{}", receipt});
    EXPECT_EQ((*reader().call(op.delete_id))->receipt, receipt);
    EXPECT_EQ(reader().calls({}, 1)->at(0).receipt, receipt);
  }
}

TEST_P(Mark, CallsAreListedNewestFirst) {
  std::vector<DeleteId> made;
  for (int i = 0; i < 5; ++i) {
    const MarkOp op = mark_op({});
    mark(op);
    made.push_back(op.delete_id);
  }
  const auto first = reader().calls({}, 2);
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ(first->at(0).delete_id, made[4]);
  EXPECT_EQ(first->at(1).delete_id, made[3]);
  const auto rest = reader().calls(made[3], 10);
  ASSERT_EQ(rest->size(), 3u);
  EXPECT_EQ(rest->at(0).delete_id, made[2]);
}

TEST_P(Mark, AThousandIdsInOneCall) {
  const auto jobs = submit_many(1'000);
  const auto runs = claim(20);
  const MarkOp op = mark_op(jobs);
  const auto marked = mark(op);
  ASSERT_EQ(marked.size(), 1'000u);
  for (std::size_t i = 0; i < marked.size(); ++i) {
    EXPECT_EQ(marked[i].job, jobs[i]);
    EXPECT_EQ(marked[i].answer, i < 20 ? MarkAnswer::held : MarkAnswer::erased) << i;
  }
  EXPECT_EQ(reader().tickets(op.delete_id, false, now(), 1'000)->size(), 20u);
  EXPECT_EQ(count("default", JobState::pending_delete), 20);
  EXPECT_TRUE(claim(100).empty());
  Batch batch;
  for (const MarkedJob& one : marked)
    if (!one.open.empty())
      batch.verdicts.push_back(verdict_op(one.job, one.open[0], Verdict::stopped));
  for (const VerdictResult& one : apply(batch).verdicts)
    EXPECT_EQ(one.answer, VerdictAnswer::erased);
  EXPECT_TRUE(all_jobs().empty());
  EXPECT_EQ(reader().tombstones(op.delete_id, {}, 2'000)->size(), 1'000u);
}

}  // namespace
}  // namespace quell::storage
