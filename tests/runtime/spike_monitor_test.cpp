#include "runtime/spike_monitor.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/runtime/dice.hpp"

namespace quell {
namespace {

using namespace std::chrono_literals;

TEST(SpikeMonitor, TheSixthCallOfAMinuteRaisesOneAlert) {
  SpikeMonitor monitor({5, 500});
  for (int call = 1; call <= 5; ++call) EXPECT_FALSE(monitor.observe(call * 1s, 1).alert);
  const SpikeVerdict sixth = monitor.observe(6s, 1);
  ASSERT_TRUE(sixth.alert);
  EXPECT_TRUE(sixth.above);
  EXPECT_EQ(sixth.alert->cause, SpikeCause::calls);
  EXPECT_EQ(sixth.alert->count, 6u);
  EXPECT_EQ(sixth.alert->limit, 5u);
  for (int call = 7; call <= 50; ++call) {
    const SpikeVerdict later = monitor.observe(call * 1s, 1);
    EXPECT_FALSE(later.alert);
    EXPECT_TRUE(later.above);
  }
}

TEST(SpikeMonitor, FiveCallsInEveryMinuteAreNoSpike) {
  SpikeMonitor monitor({5, 500});
  for (int call = 0; call < 1'000; ++call) {
    const SpikeVerdict verdict = monitor.observe(call * 12s, 1);
    EXPECT_FALSE(verdict.alert || verdict.above) << call;
  }
}

TEST(SpikeMonitor, AfterAQuietMinuteTheNextCrossingIsToldAgain) {
  SpikeMonitor monitor({2, 500});
  int alerts = 0;
  for (const Millis begin : {0s, 100s, 200s})
    for (int call = 0; call < 10; ++call)
      alerts += monitor.observe(begin + call * 1s, 1).alert ? 1 : 0;
  EXPECT_EQ(alerts, 3);
}

TEST(SpikeMonitor, TheSpikeEndsByItself) {
  SpikeMonitor monitor({1, 500});
  monitor.observe(0s, 1);
  monitor.observe(1s, 1);
  EXPECT_TRUE(monitor.above(59s));
  EXPECT_FALSE(monitor.above(60s));
}

TEST(SpikeMonitor, EachLargeBulkRaisesItsAlert) {
  SpikeMonitor monitor({5, 500});
  EXPECT_FALSE(monitor.observe(0s, 500).above);
  for (int call = 1; call <= 3; ++call) {
    const SpikeVerdict verdict = monitor.observe(call * 100s, 501);
    ASSERT_TRUE(verdict.alert);
    EXPECT_TRUE(verdict.above);
    EXPECT_EQ(verdict.alert->cause, SpikeCause::bulk);
    EXPECT_EQ(verdict.alert->count, 501u);
  }
}

TEST(SpikeMonitor, SmallBulksInARowAreASpikeToo) {
  SpikeMonitor monitor({2, 500});
  monitor.observe(0s, 400);
  monitor.observe(1s, 400);
  EXPECT_TRUE(monitor.observe(2s, 400).alert);
}

TEST(SpikeMonitor, NewRulesHoldFromTheNextCallOn) {
  SpikeMonitor monitor({5, 500});
  for (int call = 0; call < 4; ++call) monitor.observe(call * 1s, 1);
  monitor.set_rules({2, 10});
  EXPECT_TRUE(monitor.observe(5s, 1).alert);
  EXPECT_TRUE(monitor.observe(6s, 11).alert);
}

// Against the definition: count all calls of the last minute, and raise when that count passes the
// line.
TEST(SpikeMonitor, AgreesWithItsDefinitionOverRandomHistories) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    const SpikeRules rules{1 + dice.below(8), 1 + dice.below(50)};
    SpikeMonitor monitor(rules);
    std::vector<Millis> calls;
    Millis now{0};
    for (int call = 0; call < 300; ++call) {
      now += Millis{dice.below(2) == 0 ? dice.below(500) : dice.below(40'000)};
      const auto in_window = [&] {
        std::uint64_t count = 0;
        for (const Millis at : calls) count += now - at < 60s ? 1 : 0;
        return count;
      };
      // The line counts as left when, at some moment since the last call, the minute held no more
      // than the limit: the window only empties until the next call, so looking just before it is
      // enough.
      const bool was_above = in_window() > rules.calls_per_minute;
      calls.push_back(now);
      const bool is_above = in_window() > rules.calls_per_minute;
      const std::uint64_t jobs = 1 + dice.below(60);
      const SpikeVerdict verdict = monitor.observe(now, jobs);
      const bool large = jobs > rules.bulk_size;
      ASSERT_EQ(verdict.above, is_above || large);
      ASSERT_EQ(verdict.alert.has_value(), large || (is_above && !was_above));
    }
  }
}

}  // namespace
}  // namespace quell
