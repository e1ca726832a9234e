#include "storage/postgres/verbs/claim_cursors.hpp"

#include <gtest/gtest.h>

namespace quell::storage::postgres {
namespace {

JobId id(int n) {
  JobId id;
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}
ClaimCursor at(int n) {
  return {.pk = 5, .job = id(n), .since = {}};
}
// Where the next claim begins: the job's number, 0 at the start of the queue.
int start(ClaimCursors& cursors) {
  const ClaimCursors::Look look(cursors, "q");
  return look.start() ? look.start()->job.bytes[15] : 0;
}
void claim_up_to(ClaimCursors& cursors, int n) {
  ClaimCursors::Look look(cursors, "q");
  look.ended(at(n));
}

TEST(ClaimCursors, AClaimStartsWhereTheLastOneOfAnyWriterEnded) {
  ClaimCursors cursors;
  EXPECT_EQ(start(cursors), 0);
  claim_up_to(cursors, 10);
  EXPECT_EQ(start(cursors), 10);
  const ClaimCursors::Look other(cursors, "other");
  EXPECT_FALSE(other.start());
}

TEST(ClaimCursors, WhatComesInBehindThemChangesNothingAndBeforeThemEndsThem) {
  ClaimCursors cursors;
  claim_up_to(cursors, 10);
  cursors.came_in("q", 5, id(11));
  cursors.came_in("q", 6, id(1));
  cursors.came_in("other", 0, id(1));
  EXPECT_EQ(start(cursors), 10);
  cursors.came_in("q", 4, id(200));
  EXPECT_EQ(start(cursors), 0) << "of higher priority";
  claim_up_to(cursors, 10);
  cursors.came_back("q");
  EXPECT_EQ(start(cursors), 0);
}

TEST(ClaimCursors, WhatCameInWhileAClaimWasOnItsWayIsNotPassedOver) {
  ClaimCursors cursors;
  claim_up_to(cursors, 10);
  {
    ClaimCursors::Look look(cursors, "q");
    cursors.came_in("q", 5, id(15));  // behind the cursor, and before where this one will end
    look.ended(at(20));
  }
  EXPECT_EQ(start(cursors), 0);
  {
    ClaimCursors::Look look(cursors, "q");
    cursors.came_in("q", 5, id(25));
    look.ended(at(20));
  }
  EXPECT_EQ(start(cursors), 20);
}

TEST(ClaimCursors, WhatATransactionJumpedOverIsBackWhenItFails) {
  ClaimCursors cursors;
  ClaimCursors::Look other(cursors, "q");
  claim_up_to(cursors, 10);
  cursors.forget_all();
  EXPECT_EQ(start(cursors), 0);
  other.ended(at(20));
  EXPECT_EQ(start(cursors), 0) << "it had begun before";
}

}  // namespace
}  // namespace quell::storage::postgres
