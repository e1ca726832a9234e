// What a person asks of a pending delete, beside what its runs do.
#include "tests/actors/deletes/delete_supervisor_fixture.hpp"

namespace quell {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(DeleteSupervisorTest, ARetryTakesUpWhatFailedAndAsksItsOwnHoldersAgain) {
  const JobId failed = ids.next(), pending = ids.next();
  auto told = std::make_shared<std::vector<Result<DeleteReport>>>();
  deletes().retry({ids.next(), Millis{700}, hear(told)});
  TicketsRead read{orders.retries.back(), nullptr,
                   std::vector{ticket_of(failed, JobState::delete_failed), ticket_of(pending)}};
  deletes().tickets_read(read);
  ASSERT_THAT(orders.written_first, SizeIs(1));
  ASSERT_THAT(orders.written_first[0].tickets, SizeIs(1));
  EXPECT_EQ(orders.written_first[0].tickets[0].job, failed);
  EXPECT_THAT(orders.passed.at(0).holders, SizeIs(2));
  EXPECT_THAT(orders.waits_for<WaitOver>(), ElementsAre(Millis{700}));
  is_gone(failed);
  is_gone(pending);
  EXPECT_EQ(told->at(0)->counts.deleted, 2u);
}

TEST_F(DeleteSupervisorTest, AForcedJobIsDeletedWithoutProof) {
  const JobId job = ids.next();
  const Told told = force({ticket_of(job)});
  ASSERT_THAT(orders.forces, SizeIs(1));
  EXPECT_EQ(orders.forces[0].second.at(0).who, "admin");
  EXPECT_THAT(*told, IsEmpty());
  TicketsForced done{1, forced(true)};
  deletes().tickets_forced(done);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0)->outcomes[0].verdict, Verdict::not_confirmed);
  EXPECT_EQ(told->at(0)->counts.unproven, 1u);
}

TEST_F(DeleteSupervisorTest, ARunThatEndsBeforeItsForceIsProvenAndAnsweredOnce) {
  const JobId job = ids.next();
  const Told told = force({ticket_of(job)});
  is_gone(job);
  TicketsForced late{1, forced(false)};
  deletes().tickets_forced(late);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->at(0)->counts.unproven, 0u);
  EXPECT_EQ(told->at(0)->outcomes[0].verdict, Verdict::stopped);
}

TEST_F(DeleteSupervisorTest, AForceThatTheStoreRefusedIsAnErrorAndTheDeleteGoesOn) {
  const JobId job = ids.next();
  const Told told = force({ticket_of(job)});
  TicketsForced away{1, Error{ErrorCode::store_unavailable, "away"}};
  deletes().tickets_forced(away);
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_FALSE(told->at(0).ok());
  is_gone(job);
  EXPECT_EQ(receipts(), 1u);
}

}  // namespace
}  // namespace quell
