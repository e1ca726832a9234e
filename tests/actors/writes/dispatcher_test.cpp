#include "actors/writes/dispatcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quell {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class DispatcherTest : public testing::Test {
 protected:
  int claimed_for(const std::string& queue) {
    int sum = 0;
    for (const auto& claim : claims_)
      if (claim.queue == queue) sum += claim.limit;
    return sum;
  }
  void ask() { claims_ = dispatcher_.claims({}, Instant{}); }

  Dispatcher dispatcher_;
  std::vector<storage::ClaimOp> claims_;
};

TEST_F(DispatcherTest, ClaimsNothingWithoutPermitsOrWithoutWork) {
  dispatcher_.may_have_work("default");
  EXPECT_FALSE(dispatcher_.wants_claim());
  ask();
  EXPECT_THAT(claims_, IsEmpty());
  Dispatcher idle;
  idle.add_permits("default", 3);
  EXPECT_FALSE(idle.wants_claim());
}

TEST_F(DispatcherTest, NeverClaimsMoreThanThePermitsInHand) {
  dispatcher_.add_permits("default", 3);
  dispatcher_.may_have_work("default");
  ask();
  EXPECT_EQ(claimed_for("default"), 3);
  ask();
  EXPECT_THAT(claims_, IsEmpty()) << "the permits are out";
}

TEST_F(DispatcherTest, KeepsWhatAShortClaimLeftAndStopsAsking) {
  dispatcher_.add_permits("default", 3);
  dispatcher_.may_have_work("default");
  ask();
  dispatcher_.claimed(claims_.front(), 1);
  EXPECT_FALSE(dispatcher_.wants_claim()) << "the queue was empty";
  EXPECT_EQ(dispatcher_.recall("default", 10), 2);
}

TEST_F(DispatcherTest, AsksAgainAfterAFullOrAFailedClaim) {
  dispatcher_.add_permits("default", 2);
  dispatcher_.may_have_work("default");
  ask();
  dispatcher_.claim_failed(claims_.front());
  EXPECT_TRUE(dispatcher_.wants_claim());
  ask();
  dispatcher_.claimed(claims_.front(), 2);
  dispatcher_.add_permits("default", 1);
  EXPECT_TRUE(dispatcher_.wants_claim());
}

TEST_F(DispatcherTest, AShortClaimDoesNotEndAHintThatCameAfterIt) {
  dispatcher_.add_permits("default", 2);
  dispatcher_.may_have_work("default");
  ask();
  dispatcher_.may_have_work("default");
  dispatcher_.claimed(claims_.front(), 0);
  EXPECT_TRUE(dispatcher_.wants_claim());
}

TEST_F(DispatcherTest, AFullClaimBringsBackAHintThatAnOlderShortOneEnded) {
  dispatcher_.add_permits("default", 1);
  dispatcher_.may_have_work("default");
  ask();
  const auto older = claims_.front();
  dispatcher_.may_have_work("default");
  dispatcher_.add_permits("default", 1);
  ask();
  dispatcher_.claimed(older, 0);
  dispatcher_.claimed(claims_.front(), 1);
  EXPECT_TRUE(dispatcher_.wants_claim());
}

TEST_F(DispatcherTest, LeavesQueuesWithLimitsOutWhereOneConnectionKeepsTheirTurns) {
  dispatcher_.set_queue({.name = "free"});
  dispatcher_.set_queue({.name = "limited", .limits = {.concurrency = 5}});
  dispatcher_.add_permits("default", 4);
  claims_ = dispatcher_.claims({}, Instant{}, {.most = 3, .limited = false});
  EXPECT_EQ(claimed_for("free"), 3);
  EXPECT_EQ(claimed_for("limited"), 0);
  EXPECT_EQ(dispatcher_.could_claim(), 1);
}

TEST_F(DispatcherTest, SharesAPoolByWeightAndKeepsPoolsApart) {
  dispatcher_.set_queue({.name = "a", .weight = 3});
  dispatcher_.set_queue({.name = "b", .weight = 1});
  dispatcher_.set_queue({.name = "c", .pool = "other"});
  dispatcher_.add_permits("default", 8);
  dispatcher_.add_permits("other", 1);
  ask();
  EXPECT_EQ(claimed_for("a"), 6);
  EXPECT_EQ(claimed_for("b"), 2);
  EXPECT_EQ(claimed_for("c"), 1);
}

TEST_F(DispatcherTest, ClaimsNothingOfAPausedQueue) {
  dispatcher_.add_permits("default", 1);
  dispatcher_.may_have_work("default");
  dispatcher_.set_queue({.name = "default", .paused = true});
  EXPECT_FALSE(dispatcher_.wants_claim());
  dispatcher_.may_have_work("default");
  EXPECT_FALSE(dispatcher_.wants_claim());
  dispatcher_.set_queue({.name = "default"});
  EXPECT_TRUE(dispatcher_.wants_claim());
}

TEST_F(DispatcherTest, LooksAgainAtAQueueThatItsLimitsMayHaveHeld) {
  dispatcher_.set_queue({.name = "default", .limits = {.concurrency = 1}});
  dispatcher_.add_permits("default", 3);
  ask();
  ASSERT_THAT(claims_, SizeIs(1));
  EXPECT_EQ(claims_.front().limits.concurrency, 1);
  dispatcher_.claimed(claims_.front(), 1);
  EXPECT_FALSE(dispatcher_.wants_claim());
  EXPECT_TRUE(dispatcher_.anyone_is_held());
  dispatcher_.limits_may_have_room();
  EXPECT_TRUE(dispatcher_.wants_claim());
  EXPECT_FALSE(dispatcher_.anyone_is_held());
}

TEST_F(DispatcherTest, RoomThatIsMadeWhileALimitedClaimIsOnItsWayIsLookedForAgain) {
  dispatcher_.set_queue({.name = "default", .limits = {.concurrency = 1}});
  dispatcher_.add_permits("default", 3);
  ask();
  dispatcher_.limits_may_have_room();
  dispatcher_.claimed(claims_.front(), 0);
  EXPECT_TRUE(dispatcher_.wants_claim());
  ask();
  dispatcher_.claimed(claims_.front(), 0);
  EXPECT_FALSE(dispatcher_.wants_claim());
}

TEST_F(DispatcherTest, GivesBackOnlyWhatItHas) {
  dispatcher_.add_permits("default", 2);
  EXPECT_EQ(dispatcher_.recall("default", 5), 2);
  EXPECT_EQ(dispatcher_.recall("default", 5), 0);
  EXPECT_EQ(dispatcher_.recall("unknown", 5), 0);
}

TEST_F(DispatcherTest, ClaimsNothingOnceClosed) {
  dispatcher_.add_permits("default", 2);
  dispatcher_.may_have_work("default");
  dispatcher_.close();
  EXPECT_FALSE(dispatcher_.wants_claim());
  ask();
  EXPECT_THAT(claims_, IsEmpty());
}

}  // namespace
}  // namespace quell
