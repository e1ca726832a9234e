// Verdicts, tickets and force: how a marked job comes to its end, whoever still holds it.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Holders);

TEST_P(Holders, TheLastVerdictErases) {
  const MarkedJob marked = held();
  const VerdictResult result = verdict(marked.job, marked.open[0], Verdict::stopped);
  EXPECT_EQ(result.answer, VerdictAnswer::erased);
  EXPECT_EQ(result.delete_id, marked.delete_id);
  EXPECT_EQ(result.was, JobState::running);
  EXPECT_EQ(result.verdict, Verdict::stopped);
  EXPECT_EQ(state(marked.job), JobState::gone);
  EXPECT_FALSE(find_ticket(marked.job).has_value());
  EXPECT_EQ(tomb(marked.job)->verdict, Verdict::stopped);
  EXPECT_EQ(tomb(marked.job)->was, JobState::running);
}

TEST_P(Holders, ARepeatedVerdictIsUnknown) {
  const MarkedJob marked = held();
  verdict(marked.job, marked.open[0], Verdict::stopped);
  EXPECT_EQ(verdict(marked.job, marked.open[0], Verdict::reaped).answer, VerdictAnswer::unknown);
  EXPECT_EQ(tomb(marked.job)->verdict, Verdict::stopped);
}

TEST_P(Holders, AVerdictOfSomebodyElseIsUnknown) {
  const MarkedJob marked = held();
  Holder wrong = marked.open[0];
  wrong.owner = other_;
  EXPECT_EQ(verdict(marked.job, wrong, Verdict::stopped).answer, VerdictAnswer::unknown);
  wrong = marked.open[0];
  wrong.owner.life += 1;
  EXPECT_EQ(verdict(marked.job, wrong, Verdict::stopped).answer, VerdictAnswer::unknown);
  wrong = marked.open[0];
  wrong.ref = new_id();
  EXPECT_EQ(verdict(marked.job, wrong, Verdict::stopped).answer, VerdictAnswer::unknown);
  wrong = marked.open[0];
  wrong.what = HolderKind::delivery;
  EXPECT_EQ(verdict(marked.job, wrong, Verdict::stopped).answer, VerdictAnswer::unknown);
  EXPECT_EQ(state(marked.job), JobState::pending_delete);
}

// One node, one life, two runs: what is said late of the first is no word on the second.
TEST_P(Holders, AVerdictOfAnEarlierRunIsUnknown) {
  const ClaimedJob first = start();
  finish(first, JobEvent::hand_over);
  const ClaimedJob second = claim(1, view(first.job).queue).at(0);
  const MarkedJob marked = mark(first.job);
  ASSERT_EQ(marked.open.at(0).epoch, second.epoch);
  Holder earlier = marked.open[0];
  earlier.epoch = first.epoch;
  EXPECT_EQ(verdict(marked.job, earlier, Verdict::stopped).answer, VerdictAnswer::unknown);
  EXPECT_EQ(state(marked.job), JobState::pending_delete);
  EXPECT_EQ(verdict(marked.job, marked.open[0], Verdict::stopped).answer, VerdictAnswer::erased);
}

TEST_P(Holders, AVerdictOfARunThatIsNotMarkedIsUnknown) {
  const ClaimedJob run = start();
  const Holder holder{HolderKind::run, run.job, node_, run.epoch};
  EXPECT_EQ(verdict(run.job, holder, Verdict::stopped).answer, VerdictAnswer::unknown);
  EXPECT_EQ(state(run.job), JobState::running);
}

TEST_P(Holders, AJobWaitsForAllOfThem) {
  // A run and two deliveries of earlier attempts, one of them on another node.
  const ClaimedJob first = start();
  FinishOp op = finish_op(first, JobEvent::hand_over);
  op.deliveries = {delivery(0), delivery(1)};
  finish(op);
  EXPECT_EQ(claim_deliveries(1).size(), 1u);
  pass(5);
  const auto elsewhere = apply_one(&Batch::delivery_claims, DeliveryClaimOp{other_, now(), 1});
  EXPECT_EQ(elsewhere.delivery_claims.at(0).size(), 1u);
  const ClaimedJob second = claim(1, view(first.job).queue).at(0);
  const MarkedJob marked = mark(first.job);
  ASSERT_EQ(marked.open.size(), 3u);
  EXPECT_EQ(marked.open[0].what, HolderKind::run);
  EXPECT_EQ(marked.open[0].epoch, second.epoch);
  EXPECT_EQ(marked.open[1].ref, op.deliveries[0].id);
  EXPECT_EQ(marked.open[1].owner, node_);
  EXPECT_EQ(marked.open[2].ref, op.deliveries[1].id);
  EXPECT_EQ(marked.open[2].owner, other_);

  VerdictResult result = verdict(marked.job, marked.open[2], Verdict::stopped);
  EXPECT_EQ(result.answer, VerdictAnswer::waiting);
  EXPECT_EQ(result.verdict, Verdict::stopped);
  EXPECT_EQ(result.delete_id, marked.delete_id);
  EXPECT_EQ(verdict(marked.job, marked.open[2], Verdict::stopped).answer, VerdictAnswer::unknown);
  EXPECT_EQ(ticket_of(marked.job).open.size(), 2u);
  EXPECT_EQ(mark(marked.job).open.size(), 2u);
  result = verdict(marked.job, marked.open[0], Verdict::finished_first);
  EXPECT_EQ(result.answer, VerdictAnswer::waiting);
  EXPECT_EQ(state(marked.job), JobState::pending_delete);
  result = verdict(marked.job, marked.open[1], Verdict::stopped);
  EXPECT_EQ(result.answer, VerdictAnswer::erased);
  EXPECT_EQ(result.verdict, Verdict::finished_first) << "the run's word counts";
  EXPECT_EQ(result.was, JobState::running);
  EXPECT_TRUE(reader().deliveries(marked.job)->empty());
}

TEST_P(Holders, UnprovenBeatsProven) {
  const ClaimedJob first = start();
  FinishOp op = finish_op(first, JobEvent::hand_over);
  op.deliveries = {delivery(0)};
  finish(op);
  claim_deliveries(1);
  claim(1, view(first.job).queue);
  const MarkedJob marked = mark(first.job);
  ASSERT_EQ(marked.open.size(), 2u);
  verdict(marked.job, marked.open[1], Verdict::lease_expired);
  const VerdictResult result = verdict(marked.job, marked.open[0], Verdict::reaped);
  EXPECT_EQ(result.answer, VerdictAnswer::erased);
  EXPECT_EQ(result.verdict, Verdict::lease_expired);
  EXPECT_EQ(tomb(marked.job)->verdict, Verdict::lease_expired);
}

TEST_P(Holders, ADeliveryAloneHoldsAFinalJob) {
  const auto [id, delivery_id] = delivering();
  const MarkedJob marked = mark(id);
  EXPECT_EQ(marked.was, JobState::succeeded);
  ASSERT_EQ(marked.open.size(), 1u);
  EXPECT_FALSE(end_delivery(delivery_id, {}));
  EXPECT_FALSE(end_delivery(delivery_id, in(5)));
  const VerdictResult result = verdict(id, marked.open[0], Verdict::stopped);
  EXPECT_EQ(result.answer, VerdictAnswer::erased);
  EXPECT_EQ(result.was, JobState::succeeded);
}

TEST_P(Holders, TwoVerdictsOfOneBatchEraseOnce) {
  const MarkedJob marked = held();
  Batch batch;
  batch.verdicts = {verdict_op(marked.job, marked.open[0], Verdict::stopped),
                    verdict_op(marked.job, marked.open[0], Verdict::reaped)};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.verdicts.at(0).answer, VerdictAnswer::erased);
  EXPECT_EQ(out.verdicts.at(1).answer, VerdictAnswer::unknown);
  EXPECT_EQ(reader().audit(0, 10)->size(), 1u);
}

TEST_P(Holders, EveryVerdictIsKept) {
  for (const Verdict given :
       {Verdict::not_running, Verdict::not_started, Verdict::finished_first, Verdict::stopped,
        Verdict::reaped, Verdict::process_died, Verdict::lease_expired, Verdict::not_confirmed}) {
    const MarkedJob marked = held();
    EXPECT_EQ(verdict(marked.job, marked.open[0], given).verdict, given);
    EXPECT_EQ(tomb(marked.job)->verdict, given);
  }
}

QUELL_STORE_GROUP(Ticket);

TEST_P(Ticket, FailAndRetryMoveTheJobAndBack) {
  const MarkedJob marked = held();
  TicketOp op = ticket_op(marked.job, JobEvent::fail_delete);
  op.error = R"({"code":"stuck"})";
  op.next_try = in(60);
  EXPECT_TRUE(apply_one(&Batch::tickets, op).tickets.at(0));
  TicketView seen = ticket_of(marked.job);
  EXPECT_EQ(seen.state, JobState::delete_failed);
  EXPECT_EQ(state(marked.job), JobState::delete_failed);
  EXPECT_EQ(seen.error, op.error);
  EXPECT_EQ(seen.next_try, in(60));
  EXPECT_EQ(seen.tries, 1);
  EXPECT_EQ(view(marked.job).delete_id, marked.delete_id);
  EXPECT_FALSE(ticket(marked.job, JobEvent::fail_delete));

  EXPECT_TRUE(ticket(marked.job, JobEvent::retry_delete));
  seen = ticket_of(marked.job);
  EXPECT_EQ(seen.state, JobState::pending_delete);
  EXPECT_EQ(seen.tries, 1) << "a retry starts at none, and counts itself";
  EXPECT_EQ(seen.error, "");
  EXPECT_FALSE(seen.next_try.has_value());
  EXPECT_FALSE(ticket(marked.job, JobEvent::retry_delete));
}

TEST_P(Ticket, ANoteCountsTriesWhenItIsOne) {
  const MarkedJob marked = held();
  for (const bool counts : {true, true, false}) {
    TicketOp op = ticket_op(marked.job, {});
    op.error = counts ? "one" : "two";
    op.next_try = in(5);
    op.count_try = counts;
    EXPECT_TRUE(apply_one(&Batch::tickets, op).tickets.at(0));
  }
  const TicketView seen = ticket_of(marked.job);
  EXPECT_EQ(seen.tries, 2);
  EXPECT_EQ(seen.error, "two");
  EXPECT_EQ(seen.next_try, in(5));
  EXPECT_EQ(seen.state, JobState::pending_delete);
}

TEST_P(Ticket, ANoteOnAJobThatIsNotLeavingIsRefused) {
  EXPECT_FALSE(apply_one(&Batch::tickets, ticket_op(submit(), {})).tickets.at(0));
  EXPECT_FALSE(apply_one(&Batch::tickets, ticket_op(new_id(), {})).tickets.at(0));
}

TEST_P(Ticket, ALateVerdictErasesAFailedDeleteToo) {
  const MarkedJob marked = held();
  ticket(marked.job, JobEvent::fail_delete);
  EXPECT_EQ(mark(marked.job).answer, MarkAnswer::joined);
  EXPECT_EQ(verdict(marked.job, marked.open[0], Verdict::stopped).answer, VerdictAnswer::erased);
  EXPECT_EQ(state(marked.job), JobState::gone);
}

TEST_P(Ticket, TheyAreListedByTimeAndByCall) {
  std::vector<MarkedJob> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(held());
    pass(1);
  }
  const auto listed_all = reader().tickets({}, false, now(), 100);
  ASSERT_EQ(listed_all->size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(listed_all->at(i).job, all[i].job);
  const auto two = reader().tickets({}, false, now(), 2);
  ASSERT_EQ(two->size(), 2u);
  EXPECT_EQ(two->at(1).job, all[1].job);
  const auto one = reader().tickets(all[2].delete_id, false, now(), 100);
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(one->at(0).job, all[2].job);
}

TEST_P(Ticket, DueIsWhatIsPendingAndWhoseTimeHasCome) {
  const JobId fresh = held().job, later = held().job, failed = held().job, again = held().job;
  TicketOp op = ticket_op(later, {});
  op.next_try = in(10);
  apply_one(&Batch::tickets, op);
  ticket(failed, JobEvent::fail_delete);
  op = ticket_op(again, JobEvent::fail_delete);
  op.next_try = in(20);
  apply_one(&Batch::tickets, op);
  const auto due_now = [&] {
    std::vector<JobId> ids;
    const auto tickets = reader().tickets({}, true, now(), 100);
    for (const TicketView& one : *tickets) ids.push_back(one.job);
    return ids;
  };
  EXPECT_EQ(due_now(), std::vector<JobId>{fresh});
  pass(10);
  EXPECT_EQ(due_now(), (std::vector<JobId>{fresh, later}));
  pass(10);
  EXPECT_EQ(due_now(), (std::vector<JobId>{fresh, later, again}));
}

QUELL_STORE_GROUP(Force);

TEST_P(Force, ItErasesWithoutProofAndSaysSo) {
  const MarkedJob marked = held();
  const ForceResult result = force(marked.job);
  EXPECT_TRUE(result.erased);
  EXPECT_EQ(result.delete_id, marked.delete_id);
  ASSERT_EQ(result.open.size(), 1u);
  EXPECT_EQ(result.open[0].owner, node_);
  EXPECT_EQ(state(marked.job), JobState::gone);
  EXPECT_EQ(tomb(marked.job)->verdict, Verdict::not_confirmed);
  EXPECT_EQ(mark(marked.job).answer, MarkAnswer::already_gone);
  EXPECT_EQ(steer(marked.job, JobEvent::cancel).answer, SteerAnswer::gone);
}

TEST_P(Force, TheOwnerIsStillToldUntilItConfirms) {
  const MarkedJob marked = held();
  force(marked.job);
  const TicketView seen = ticket_of(marked.job);
  EXPECT_TRUE(seen.forced);
  EXPECT_EQ(seen.open.size(), 1u);
  EXPECT_EQ(apply_one(&Batch::beats, BeatOp{node_}).beats.at(0).orders.size(), 1u);
  const VerdictResult late = verdict(marked.job, marked.open[0], Verdict::stopped);
  EXPECT_EQ(late.answer, VerdictAnswer::unknown);
  EXPECT_EQ(late.delete_id, marked.delete_id);
  EXPECT_FALSE(find_ticket(marked.job).has_value());
  EXPECT_TRUE(apply_one(&Batch::beats, BeatOp{node_}).beats.at(0).orders.empty());
  EXPECT_EQ(tomb(marked.job)->verdict, Verdict::not_confirmed);
  EXPECT_TRUE(verdict(marked.job, marked.open[0], Verdict::stopped).delete_id.is_nil());
}

TEST_P(Force, ARepeatErasesNothing) {
  const MarkedJob marked = held();
  force(marked.job);
  const ForceResult again = force(marked.job);
  EXPECT_FALSE(again.erased);
  EXPECT_EQ(again.delete_id, marked.delete_id);
  EXPECT_EQ(again.open.size(), 1u);
  verdict(marked.job, marked.open[0], Verdict::stopped);
  EXPECT_TRUE(force(marked.job).delete_id.is_nil());
}

TEST_P(Force, AForcedTicketTakesOnlyNotes) {
  const MarkedJob marked = held();
  force(marked.job);
  EXPECT_FALSE(ticket(marked.job, JobEvent::fail_delete));
  EXPECT_FALSE(ticket(marked.job, JobEvent::retry_delete));
  TicketOp note = ticket_op(marked.job, {});
  note.next_try = in(9);
  EXPECT_TRUE(apply_one(&Batch::tickets, note).tickets.at(0));
  EXPECT_EQ(ticket_of(marked.job).next_try, in(9));
}

TEST_P(Force, ADeadOwnerClosesTheTicketToo) {
  const MarkedJob marked = held();
  force(marked.job);
  const RecoverResult declared_dead = recover();
  EXPECT_TRUE(declared_dead.erased.empty());
  EXPECT_FALSE(find_ticket(marked.job).has_value());
}

TEST_P(Force, TheIdIsNotFreeEvenForARestoreWhileTheRunMayLive) {
  const MarkedJob marked = held();
  force(marked.job);
  NewJob again = job();
  again.id = marked.job;
  EXPECT_EQ(enqueue(again, JobEvent::restore).answer, EnqueueAnswer::id_taken);
  verdict(marked.job, marked.open[0], Verdict::stopped);
  EXPECT_EQ(enqueue(again, JobEvent::restore).answer, EnqueueAnswer::stored);
}

TEST_P(Force, ItHasItsOwnLineInTheAudit) {
  const MarkedJob marked = held();
  force(marked.job);
  const auto rows = reader().audit(0, 10);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->at(0).what, "force");
  EXPECT_EQ(rows->at(0).who, "root");
  EXPECT_EQ(rows->at(0).ref, marked.delete_id.text());
}

}  // namespace
}  // namespace quell::storage
