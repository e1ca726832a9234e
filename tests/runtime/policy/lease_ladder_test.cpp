#include "runtime/policy/lease_ladder.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

LeaseTimes times(int beat, int lease, int self_stop, int stop_deadline) {
  return {Millis{beat}, Millis{lease}, Millis{self_stop}, Millis{stop_deadline}};
}

TEST(LeaseLadder, TheDefaultsStopAtTenSecondsLeaveAtThirteenAndAreDeadAtFifteen) {
  const LeaseTimes defaults;
  EXPECT_EQ(fault_of(defaults), "");
  EXPECT_EQ(rung(defaults, Millis{9'999}), Rung::working);
  EXPECT_EQ(rung(defaults, Millis{10'000}), Rung::stopping);
  EXPECT_EQ(rung(defaults, Millis{12'999}), Rung::stopping);
  EXPECT_EQ(rung(defaults, Millis{13'000}), Rung::leaving);
  EXPECT_EQ(defaults.lease, Millis{15'000});
}

// Whatever times are accepted: one goes down only, never two rungs at a time, each rung begins just
// when it was said to, and the process is gone before anyone may call the node dead.
TEST(LeaseLadder, EveryAcceptedSetOfTimesIsDownBeforeTheLeaseEnds) {
  int accepted = 0;
  for (int beat = 0; beat <= 6; ++beat)
    for (int lease = 1; lease <= 20; ++lease)
      for (int self_stop = 1; self_stop <= 14; ++self_stop)
        for (int deadline = 0; deadline <= 4; ++deadline) {
          const LeaseTimes t = times(beat * 500, lease * 500, self_stop * 500, deadline * 500);
          const bool fits = beat > 0 && beat * 2 <= self_stop && lease > self_stop + deadline + 2;
          ASSERT_EQ(fault_of(t).empty(), fits) << beat << lease << self_stop << deadline;
          if (!fits) continue;
          ++accepted;
          Rung last = Rung::working;
          Millis announced = next_rung(t, Millis{0});
          for (Millis since{0}; since <= t.lease; since += Millis{250}) {
            const Rung now = rung(t, since);
            ASSERT_GE(now, last);
            ASSERT_LE(static_cast<int>(now), static_cast<int>(last) + 1);
            ASSERT_EQ(now != last, since == announced);
            announced = next_rung(t, since);
            last = now;
          }
          ASSERT_EQ(last, Rung::leaving);
          ASSERT_EQ(announced, Millis::max());
        }
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace quell
