#include "runtime/policy/spike_monitor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/runtime/base/dice.hpp"

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

TEST(SpikeMonitor, ALargeShareOfTheUnfinishedJobsIsASpikeOnceItIsTen) {
  SpikeMonitor monitor({1'000, 1'000, 20});
  EXPECT_FALSE(monitor.observe(1s, 9, 10).alert);
  EXPECT_FALSE(monitor.observe(2s, 20, 100).alert);
  const SpikeVerdict share = monitor.observe(3s, 21, 100);
  ASSERT_TRUE(share.alert);
  EXPECT_EQ(share.alert->cause, SpikeCause::share);
  EXPECT_EQ(share.alert->limit, 20u);
  EXPECT_FALSE(monitor.observe(4s, 500).alert) << "how many there were is not known";
}

TEST(SpikeMonitor, ACutListOfCallsSaysNothingThatTheWholeOneWouldNot) {
  const SpikeRules rules{3, 500};
  Dice dice(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<SpikeCall> calls;
    Millis at{0};
    for (int i = 0; i < 60; ++i) calls.push_back({at += Millis{dice.below(40'000)}, 1});
    const auto whole = spikes_of(rules, calls, false);
    const std::size_t wanted = spike_calls_needed(rules);
    const std::span<const SpikeCall> tail = std::span(calls).last(wanted);
    bool last_of_whole = false, last_of_cut = false;
    for (const auto& [i, spike] : whole) last_of_whole = last_of_whole || i + 1 == calls.size();
    for (const auto& [i, spike] : spikes_of(rules, tail, true)) {
      last_of_cut = last_of_cut || i + 1 == tail.size();
      const std::size_t place = calls.size() - tail.size() + i;
      EXPECT_TRUE(std::any_of(whole.begin(), whole.end(),
                              [&](const auto& one) { return one.first == place; }));
    }
    EXPECT_EQ(last_of_cut, last_of_whole);
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
