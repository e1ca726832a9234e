// Who is answered what of a delete, in whichever order things come.
#include "tests/actors/deletes/delete_supervisor_fixture.hpp"

namespace quell {
namespace {

using storage::Durability;
using storage::MarkAnswer;
using storage::MarkedJob;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto waiting = storage::VerdictAnswer::waiting;
constexpr auto unknown = storage::VerdictAnswer::unknown;

TEST_F(DeleteSupervisorTest, ACallIsAnsweredOnceEachOfItsJobsIsGone) {
  const JobId rests = ids.next(), runs = ids.next();
  const Told told = erase({rests, runs});
  marked(1, {answered(rests, MarkAnswer::erased), held(runs)});
  EXPECT_THAT(*told, IsEmpty());
  is_gone(runs);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_TRUE(told->at(0)->complete);
  EXPECT_EQ(told->at(0)->counts.deleted, 2u);
  EXPECT_EQ(told->at(0)->counts.slots_freed, 1u);
  EXPECT_EQ(receipts(), 1u);
}

TEST_F(DeleteSupervisorTest, ALargeCallIsMarkedInSlicesAndAnsweredBehindTheLast) {
  std::vector<JobId> jobs(1'001);
  for (JobId& job : jobs) job = ids.next();
  const Told told = erase(jobs);
  ASSERT_THAT(orders.marks, SizeIs(3));
  for (const std::size_t slice : {2u, 0u, 1u}) {  // in whichever order their commits come
    EXPECT_THAT(*told, IsEmpty());
    const MarkJobs& mark = orders.marks[slice];
    EXPECT_EQ(mark.mark.slices, 3);
    std::vector<MarkedJob> gone;
    for (const JobId& job : mark.mark.jobs) gone.push_back(answered(job, MarkAnswer::erased));
    const std::size_t count = gone.size();
    deletes().marked({1, mark.first, count, std::move(gone), Durability::local});
  }
  EXPECT_EQ(told->at(0)->counts.deleted, 1'001u);
}

TEST_F(DeleteSupervisorTest, WhatGoesBesideAnOperationsSliceGoesOnceAndWithItsLastMark) {
  std::vector<JobId> jobs(2'001);
  for (JobId& job : jobs) job = ids.next();
  DeleteRequest request;
  request.jobs = jobs;
  request.of_operation = ids.next();
  deletes().begin({std::move(request),
                   [](const Result<DeleteReport>&) {},
                   {std::make_shared<storage::Batch>(), {}}});
  ASSERT_THAT(orders.marks, SizeIs(2));
  EXPECT_EQ(orders.marks[0].beside.ops, nullptr);
  EXPECT_NE(orders.marks[1].beside.ops, nullptr);
  mark_is_unknown(1);
  deletes().mark_again({1, 0});
  ASSERT_THAT(orders.marks, SizeIs(3));
  EXPECT_EQ(orders.marks[2].beside.ops, nullptr);
}

TEST_F(DeleteSupervisorTest, TwoDeletesOfOneJobEndWithTheSameErase) {
  const JobId job = ids.next();
  const Told first = erase({job}), second = erase({job});
  marked(1, {held(job)});
  MarkedJob joined = held(job);
  joined.answer = MarkAnswer::joined;
  marked(2, {joined});
  EXPECT_THAT(*first, IsEmpty());
  EXPECT_THAT(*second, IsEmpty()) << "whoever joins waits too";
  is_gone(job);
  ASSERT_THAT(*first, SizeIs(1));
  ASSERT_THAT(*second, SizeIs(1));
  EXPECT_FALSE(first->at(0)->outcomes[0].joined);
  EXPECT_TRUE(second->at(0)->outcomes[0].joined);
  EXPECT_EQ(second->at(0)->outcomes[0].delete_id, first->at(0)->delete_id);
}

TEST_F(DeleteSupervisorTest, AMarkOfUnknownOutcomeIsMadeAgainAsItWas) {
  const JobId job = ids.next();
  const Told told = erase({job});
  mark_is_unknown(1);
  EXPECT_THAT(*told, IsEmpty());
  EXPECT_THAT(orders.waits_for<MarkAgain>(), ElementsAre(Millis{100}));
  deletes().mark_again({1, 0});
  ASSERT_THAT(orders.marks, SizeIs(2));
  EXPECT_EQ(orders.marks[1].mark.delete_id, orders.marks[0].mark.delete_id);
  EXPECT_EQ(orders.marks[1].mark.jobs, orders.marks[0].mark.jobs);
  deletes().mark_again({1, 0});
  EXPECT_THAT(orders.marks, SizeIs(2)) << "once for each time it was unknown";
}

TEST_F(DeleteSupervisorTest, WhatAMarkWithALostAnswerErasedIsDeletedAndNotGoneBefore) {
  const JobId job = ids.next();
  const Told told = erase({job});
  mark_is_unknown(1);
  deletes().mark_again({1, 0});
  marked(1, {answered(job, MarkAnswer::already_gone)});
  EXPECT_THAT(*told, IsEmpty()) << "the store knows its verdict";
  deletes().look_at_store(false);
  EXPECT_THAT(orders.looks.at(0).second, ElementsAre(job));
  deletes().states_read({0, std::vector{tomb_of(job)}});
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0)->outcomes[0].fate, JobFate::deleted);
  EXPECT_FALSE(told->at(0)->outcomes[0].slots_freed) << "nobody knows what its process held";
}

TEST_F(DeleteSupervisorTest, WhenTheTimeIsUpAMarkThatStaysUnknownHasFailed) {
  const Told told = erase({ids.next()});
  mark_is_unknown(1);
  deletes().wait_over(1);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0)->outcomes[0].fate, JobFate::failed);
  EXPECT_EQ(told->at(0)->outcomes[0].error->detail, "it is away");
  deletes().mark_again({1, 0});
  EXPECT_THAT(orders.marks, SizeIs(1));
  EXPECT_EQ(receipts(), 0u);
}

TEST_F(DeleteSupervisorTest, PendingIsNotSaidBeforeTheMarkIsThere) {
  const JobId job = ids.next();
  const Told told = erase({job});
  deletes().wait_over(1);
  EXPECT_THAT(*told, IsEmpty());
  EXPECT_THAT(orders.waits_for<MarkOverdue>(), ElementsAre(Millis{1'500}));
  marked(1, {held(job)});
  ASSERT_THAT(*told, SizeIs(1)) << "the time is up, so it is said at once";
  EXPECT_EQ(told->at(0)->outcomes[0].fate, JobFate::pending);
  deletes().mark_overdue(1);
  is_gone(job);
  EXPECT_THAT(*told, SizeIs(1));
  EXPECT_EQ(receipts(), 1u) << "its receipt is there all the same";
}

TEST_F(DeleteSupervisorTest, ACallWhoseMarkIsOverdueFailsOnceAndIsStillDone) {
  const JobId job = ids.next();
  const Told told = erase({job});
  deletes().wait_over(1);
  deletes().mark_overdue(1);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0).error().code, ErrorCode::store_unavailable);
  marked(1, {held(job)});
  is_gone(job);
  EXPECT_THAT(*told, SizeIs(1));
  EXPECT_EQ(receipts(), 1u);
}

TEST_F(DeleteSupervisorTest, AStuckRunIsAnsweredAsPendingAtOnceAndCountedWhenItIsDown) {
  const JobId job = ids.next();
  const Told told = erase({job});
  marked(1, {held(job)});
  deletes().run_stuck(job);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0)->outcomes[0].fate, JobFate::pending);
  EXPECT_EQ(told->at(0)->outcomes[0].verdict, Verdict::stuck);
  EXPECT_EQ(receipts(), 0u);
  is_gone(job);
  EXPECT_THAT(*told, SizeIs(1));
  EXPECT_EQ(receipts(), 1u);
}

TEST_F(DeleteSupervisorTest, OneStuckRunDoesNotAnswerForAnotherThatIsStopping) {
  const JobId sticks = ids.next(), stops = ids.next();
  const Told told = erase({sticks, stops});
  marked(1, {held(sticks), held(stops)});
  deletes().run_stuck(sticks);
  EXPECT_THAT(*told, IsEmpty());
  is_gone(stops);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0)->counts.deleted, 1u);
  EXPECT_FALSE(told->at(0)->complete);
}

TEST_F(DeleteSupervisorTest, AWordOfAStuckRunThatComesBeforeTheMarkIsRemembered) {
  const JobId job = ids.next();
  const Told told = erase({job});
  deletes().run_stuck(job);
  EXPECT_THAT(*told, IsEmpty());
  marked(1, {held(job)});
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0)->outcomes[0].verdict, Verdict::stuck);
}

TEST_F(DeleteSupervisorTest, AVerdictBehindWhichOthersWaitIsNotTheErase) {
  const JobId job = ids.next();
  const Told told = erase({job});
  MarkedJob both = held(job);
  both.open.push_back({storage::HolderKind::delivery, ids.next(), context->self, 0});
  marked(1, {both});
  verdict(job, waiting);
  EXPECT_THAT(*told, IsEmpty());
  verdict(job, storage::VerdictAnswer::erased, 0, Durability::local, storage::HolderKind::delivery);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0)->outcomes[0].slots_freed, 1) << "of the run";
  EXPECT_EQ(told->at(0)->outcomes[0].deliveries_aborted, 1);
}

TEST_F(DeleteSupervisorTest, AVerdictThatTheStoreDoesNotKnowErasesNothing) {
  const JobId job = ids.next();
  const Told told = erase({job});
  marked(1, {held(job)});
  verdict(job, unknown, 1);
  verdict(job, unknown, 0);
  EXPECT_THAT(*told, IsEmpty());
  deletes().states_read({0, std::vector{tomb_of(job)}});
  ASSERT_THAT(*told, SizeIs(1)) << "its own word was said: the store is believed";
}

TEST_F(DeleteSupervisorTest, ATombstoneIsNotBelievedWhileTheOwnRunHasNotSpoken) {
  const JobId job = ids.next();
  const Told told = erase({job});
  marked(1, {held(job)});
  deletes().states_read({0, std::vector{tomb_of(job)}});
  EXPECT_THAT(*told, IsEmpty());
  is_gone(job);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0)->outcomes[0].slots_freed, 1);
}

TEST_F(DeleteSupervisorTest, AnErasureWithoutItsReplicaIsPendingUntilAFenceIsReplicated) {
  settings.require_replicated = true;
  at_best = Durability::replicated;
  const JobId job = ids.next();
  const Told told = erase({job});
  marked(1, {held(job)}, Durability::replicated);
  is_gone(job, Durability::local);
  EXPECT_THAT(*told, IsEmpty());
  deletes().states_read({0, std::vector{tomb_of(job)}});
  deletes().states_read({0, std::vector{tomb_of(job)}});
  ASSERT_THAT(orders.fences, SizeIs(1)) << "one on its way is enough";
  deletes().read_fenced({{}, Error{ErrorCode::store_unavailable, "away"}});
  EXPECT_THAT(*told, IsEmpty());
  deletes().states_read({0, std::vector{tomb_of(job)}});
  ASSERT_THAT(orders.fences, SizeIs(2));
  deletes().read_fenced({orders.fences[1], Durability::replicated});
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_TRUE(told->at(0)->outcomes[0].replicate);
}

TEST_F(DeleteSupervisorTest, ADryRunUnderAFreezeBetweenMarkAndEraseLeavesTheDeleteAlone) {
  const JobId job = ids.next();
  const Told told = erase({job});
  marked(1, {held(job)});
  const Told frozen = erase({job}, [](DeleteRequest& request) {
    request.dry_run = true;
    request.frozen = true;
  });
  ASSERT_THAT(orders.looks, SizeIs(1));
  storage::Found leaving;
  leaving.job.emplace().id = job;
  leaving.job->state = JobState::pending_delete;
  deletes().states_read({2, std::vector{leaving}});
  ASSERT_THAT(*frozen, SizeIs(1));
  EXPECT_TRUE(frozen->at(0)->frozen);
  EXPECT_EQ(frozen->at(0)->outcomes[0].fate, JobFate::pending);
  EXPECT_THAT(orders.marks, SizeIs(1)) << "it marks nothing";
  EXPECT_THAT(*told, IsEmpty());
  is_gone(job);
  EXPECT_EQ(told->at(0)->counts.deleted, 1u);
  EXPECT_EQ(receipts(), 1u) << "of the delete alone";
}

TEST_F(DeleteSupervisorTest, ADryRunThatCannotReadIsAnErrorAndNoReport) {
  const Told told = erase({ids.next()}, [](DeleteRequest& request) { request.dry_run = true; });
  deletes().states_read({1, Error{ErrorCode::store_unavailable, "away"}});
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_FALSE(told->at(0).ok());
}

TEST_F(DeleteSupervisorTest, TheStoreIsLookedAtLessAndLessUntilNobodyWaits) {
  const JobId job = ids.next();
  erase({job});
  marked(1, {held(job)});
  for (int i = 0; i < 4; ++i) deletes().look_at_store(false);
  EXPECT_THAT(orders.waits_for<LookAtStore>(),
              ElementsAre(Millis{50}, Millis{100}, Millis{200}, Millis{200}, Millis{200}));
  deletes().look_at_store(true);
  EXPECT_THAT(orders.waits_for<LookAtStore>(), SizeIs(5)) << "a hint is a look out of turn";
  is_gone(job);
  deletes().look_at_store(false);
  EXPECT_THAT(orders.waits_for<LookAtStore>(), SizeIs(5));
  EXPECT_THAT(orders.looks, SizeIs(5));
}

TEST_F(DeleteSupervisorTest, NobodyIsRemindedOfWhatIsSettledOrClosed) {
  const JobId first = ids.next(), second = ids.next();
  erase({first});
  erase({second});
  marked(1, {answered(first, MarkAnswer::erased)});
  EXPECT_THAT(orders.forgotten, ElementsAre(1u));
  deletes().close();
  EXPECT_THAT(orders.forgotten, ElementsAre(1u, 2u));
}

TEST_F(DeleteSupervisorTest, AProtectedJobLeavesARowInTheAuditAndNoReceipt) {
  const JobId job = ids.next();
  const Told told = erase({job});
  marked(1, {answered(job, MarkAnswer::protected_job)});
  EXPECT_EQ(told->at(0)->outcomes[0].error->code, ErrorCode::protected_job);
  ASSERT_THAT(orders.written, SizeIs(2));
  ASSERT_THAT(orders.written[0].calls, SizeIs(1)) << "its counts alone";
  EXPECT_EQ(orders.written[0].calls[0].receipt, "");
  EXPECT_THAT(orders.written[1].audits, SizeIs(1));
}

TEST_F(DeleteSupervisorTest, ASliceOfAnOperationLeavesReceiptAndLastWordToIt) {
  const JobId job = ids.next();
  const DeleteId operation = ids.next();
  const Told told = erase({job}, [&](DeleteRequest& request) { request.of_operation = operation; });
  EXPECT_EQ(orders.marks.at(0).mark.delete_id, operation);
  EXPECT_EQ(orders.marks.at(0).mark.slices, 2) << "more may come";
  marked(1, {answered(job, MarkAnswer::erased)});
  EXPECT_EQ(told->at(0)->counts.deleted, 1u);
  EXPECT_EQ(receipts(), 0u);
}

}  // namespace
}  // namespace quell
