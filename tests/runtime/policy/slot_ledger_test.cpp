#include "runtime/policy/slot_ledger.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/runtime/base/dice.hpp"

namespace quell {
namespace {

SlotKey key(std::uint8_t job, std::int64_t epoch = 1) {
  SlotKey made;
  made.job.bytes[15] = job;
  made.epoch = epoch;
  return made;
}

TEST(SlotLedger, GivesNoMoreThanIsFree) {
  SlotLedger ledger(5);
  EXPECT_EQ(ledger.take(3), 3u);
  EXPECT_EQ(ledger.take(3), 2u);
  EXPECT_EQ(ledger.take(1), 0u);
  EXPECT_EQ(ledger.used(), 5u);
  EXPECT_EQ(ledger.free(), 0u);
}

TEST(SlotLedger, APermitReturnsWhenItsRunIsDown) {
  SlotLedger ledger(1);
  ASSERT_TRUE(ledger.take_for(key(1)));
  EXPECT_FALSE(ledger.take_for(key(2)));
  ledger.give_back(key(1));
  EXPECT_EQ(ledger.free(), 1u);
  EXPECT_TRUE(ledger.take_for(key(2)));
}

TEST(SlotLedger, ASmallerClaimReturnsWhatItDidNotUse) {
  SlotLedger ledger(10);
  EXPECT_EQ(ledger.take(10), 10u);
  ledger.bind(key(1));
  ledger.return_offered(9);
  EXPECT_EQ(ledger.free(), 9u);
  EXPECT_EQ(ledger.used(), 1u);
  EXPECT_EQ(ledger.offered(), 0u);
}

TEST(SlotLedgerDeathTest, TheSameRunCannotReturnItsPermitTwice) {
  SlotLedger ledger(2);
  ASSERT_TRUE(ledger.take_for(key(1)));
  ledger.give_back(key(1));
  EXPECT_DEATH(ledger.give_back(key(1)), "was_out");
}

TEST(SlotLedgerDeathTest, AnEarlierEpochCannotReturnALaterRunsPermit) {
  SlotLedger ledger(2);
  ASSERT_TRUE(ledger.take_for(key(1, 2)));
  EXPECT_DEATH(ledger.give_back(key(1, 1)), "was_out");
}

TEST(SlotLedgerDeathTest, ARunIsBoundOnceAndOnlyToAnOfferedPermit) {
  SlotLedger ledger(2);
  EXPECT_DEATH(ledger.bind(key(1)), "offered_ > 0");
  ASSERT_TRUE(ledger.take_for(key(1)));
  ledger.take(1);
  EXPECT_DEATH(ledger.bind(key(1)), "holds");
  EXPECT_DEATH(ledger.return_offered(2), "offered_");
}

TEST(SlotLedger, AGhostKeepsItsSlotUntilItIsDown) {
  SlotLedger ledger(2);
  ASSERT_TRUE(ledger.take_for(key(1)));
  ledger.mark_stuck(key(1));
  EXPECT_EQ(ledger.used(), 0u);
  EXPECT_EQ(ledger.stuck(), 1u);
  EXPECT_EQ(ledger.free(), 1u);
  EXPECT_TRUE(ledger.is_stuck(key(1)));
  ledger.give_back(key(1));
  EXPECT_EQ(ledger.stuck(), 0u);
  EXPECT_EQ(ledger.free(), 2u);
}

TEST(SlotLedgerDeathTest, AGhostIsMarkedOnce) {
  SlotLedger ledger(2);
  ASSERT_TRUE(ledger.take_for(key(1)));
  ledger.mark_stuck(key(1));
  EXPECT_DEATH(ledger.mark_stuck(key(1)), "held_");
}

TEST(SlotLedger, ShrinkingBelowWhatIsOutAbsorbsReturns) {
  SlotLedger ledger(3);
  for (std::uint8_t job = 1; job <= 3; ++job) ASSERT_TRUE(ledger.take_for(key(job)));
  ledger.resize(1);
  EXPECT_EQ(ledger.free(), 0u);
  ledger.give_back(key(1));
  ledger.give_back(key(2));
  EXPECT_EQ(ledger.free(), 0u);
  EXPECT_EQ(ledger.take(1), 0u);
  ledger.give_back(key(3));
  EXPECT_EQ(ledger.free(), 1u);
}

TEST(SlotLedger, GrowingFreesAtOnce) {
  SlotLedger ledger(0);
  EXPECT_EQ(ledger.take(1), 0u);
  ledger.resize(4);
  EXPECT_EQ(ledger.take(9), 4u);
  ledger.resize(2);
  ledger.return_offered(3);
  EXPECT_EQ(ledger.free(), 1u);
}

// The ledger against the simplest possible account of the same events; its own assertions run on
// each step too.
TEST(SlotLedger, HoldsItsLawOverRandomHistories) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    std::uint32_t capacity = 8;
    SlotLedger ledger(capacity);
    std::vector<SlotKey> running, ghosts;
    std::uint32_t offered = 0;
    std::int64_t epoch = 0;
    for (int step = 0; step < 2'000; ++step) {
      switch (dice.below(7)) {
        case 0:
          offered += ledger.take(dice.below(5));
          break;
        case 1:
          if (offered > 0) ledger.return_offered(1), --offered;
          break;
        case 2:
          if (offered > 0) {
            running.push_back(key(static_cast<std::uint8_t>(dice.below(250)), ++epoch));
            ledger.bind(running.back());
            --offered;
          }
          break;
        case 3:
          if (!running.empty()) ledger.give_back(running.back()), running.pop_back();
          break;
        case 4:
          if (!running.empty()) {
            const std::size_t at = dice.below(running.size());
            ledger.mark_stuck(running[at]);
            ghosts.push_back(running[at]);
            running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
          }
          break;
        case 5:
          if (!ghosts.empty()) ledger.give_back(ghosts.back()), ghosts.pop_back();
          break;
        default:
          if (dice.below(10) == 0) ledger.resize(capacity = dice.below(16));
      }
      const auto used = offered + static_cast<std::uint32_t>(running.size());
      const auto out = used + static_cast<std::uint32_t>(ghosts.size());
      ASSERT_EQ(ledger.used(), used);
      ASSERT_EQ(ledger.stuck(), ghosts.size());
      ASSERT_EQ(ledger.free(), capacity > out ? capacity - out : 0);
    }
  }
}

}  // namespace
}  // namespace quell
