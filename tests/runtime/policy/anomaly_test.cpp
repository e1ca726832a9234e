// Each rule by its row: silent below its line, one alert when it is crossed, no second one while it
// lasts, another after it had ended, and nothing at all when it is off.
#include "runtime/policy/anomaly.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/settings/settings.hpp"

namespace quell {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr Instant start{Millis{1'800'000'000'000}};
constexpr std::int64_t mega = 1'000'000;

StoreSnapshot quiet(Instant at) {
  StoreSnapshot snapshot;
  snapshot.due = snapshot.at = at;
  snapshot.node = "n1";
  snapshot.counts = {{"default", JobState::succeeded, 1'000}};
  snapshot.store_bytes = 100 * mega;
  snapshot.memory_bytes = 10 * mega;
  return snapshot;
}

// The snapshot in which the rule's figure is `value`.
StoreSnapshot with(AnomalyRule rule, std::int64_t value, Instant at) {
  StoreSnapshot snapshot = quiet(at);
  switch (rule) {
    case AnomalyRule::vanished:
      if (value > 0) snapshot.changes.lost = {{Uuid{}, id_end, value}};
      break;
    case AnomalyRule::drop:
      snapshot.counts[0].jobs = 1'000 - value * 10;
      break;
    case AnomalyRule::moves:
      snapshot.counts[0].jobs = 1'000 + (100 - value);
      snapshot.counts.push_back({"default", JobState::failed, value});
      break;
    case AnomalyRule::off_hours:
      snapshot.deleted_off_hours = value;
      break;
    case AnomalyRule::growth:
      snapshot.store_bytes = (100 + value) * mega;
      break;
    case AnomalyRule::memory:
      snapshot.memory_bytes = value * mega;
      break;
    case AnomalyRule::waiting:
      snapshot.waiting = StoreSnapshot::Waiting{"mail", value};
      break;
    case AnomalyRule::dead_rows:
      snapshot.dead = StoreSnapshot::Worst{"live", value};
      break;
    case AnomalyRule::held:
      snapshot.held = HeldSnapshot{4711, "psql", value};
      break;
  }
  return snapshot;
}

class EachRule : public testing::TestWithParam<int> {
 protected:
  AnomalyRule rule() const { return static_cast<AnomalyRule>(GetParam()); }
  std::int64_t limit() const { return limits.from[static_cast<std::size_t>(GetParam())]; }
  static AnomalyLimits made() {
    AnomalyLimits all;
    all.from.fill(40);
    return all;
  }
  // What is said when the figures come one after another, each beside a quiet one for those rules
  // that compare.
  std::vector<std::size_t> told(const std::vector<std::int64_t>& values) {
    std::vector<std::size_t> counts;
    StoreSnapshot last = quiet(start);
    Instant at = start;
    for (const std::int64_t value : values) {
      at += 5min;
      StoreSnapshot now = with(rule(), value, at);
      StoreSnapshot before = quiet(at - 5min);
      before.above = last.above;
      const std::vector<StoreSnapshot> past{before};
      Judgement judgement = judge(past, now, limits);
      for (const Anomaly& one : judgement.alerts) EXPECT_EQ(one.rule, rule());
      counts.push_back(judgement.alerts.size());
      now.above = std::move(judgement.above);
      last = now;
    }
    return counts;
  }
  AnomalyLimits limits = made();
};

TEST_P(EachRule, IsSilentBelowItsLineAndSpeaksOnIt) {
  for (std::int64_t value = 0; value < limit(); ++value)
    EXPECT_EQ(told({value}), std::vector<std::size_t>{0}) << value;
  EXPECT_EQ(told({limit()}), std::vector<std::size_t>{1});
  EXPECT_EQ(told({limit() + 10}), std::vector<std::size_t>{1});
}

TEST_P(EachRule, SpeaksOnceACrossing) {
  if (rule() == AnomalyRule::vanished) {
    EXPECT_EQ(told({45, 45, 0, 45}), (std::vector<std::size_t>{1, 1, 0, 1})) << "each loss is one";
    return;
  }
  EXPECT_EQ(told({45, 45, 41}), (std::vector<std::size_t>{1, 0, 0}));
  EXPECT_EQ(told({45, 39, 45}), (std::vector<std::size_t>{1, 0, 0})) << "it had not ended";
  EXPECT_EQ(told({45, 36, 45}), (std::vector<std::size_t>{1, 0, 1})) << "a tenth below, it had";
}

TEST_P(EachRule, IsSilentWhenItIsOff) {
  limits.from[static_cast<std::size_t>(GetParam())] = 0;
  EXPECT_EQ(told({0, 1, 39, 40, 90}), (std::vector<std::size_t>{0, 0, 0, 0, 0}));
}

TEST_P(EachRule, SaysWhatItIsAndWhatToDo) {
  const std::vector<StoreSnapshot> past{quiet(start)};
  const Judgement judgement = judge(past, with(rule(), 50, start + 5min), limits);
  ASSERT_EQ(judgement.alerts.size(), 1u);
  const std::string sentence = sentence_of(judgement.alerts[0]);
  EXPECT_THAT(sentence, HasSubstr("50"));
  EXPECT_THAT(sentence, testing::Not(HasSubstr("{")));
  EXPECT_GT(sentence.size(), 60u);
  EXPECT_EQ(sentence.back(), '.');
  EXPECT_EQ(anomaly_rule(to_string(rule())), rule());
}

INSTANTIATE_TEST_SUITE_P(All, EachRule, testing::Range(0, static_cast<int>(anomaly_rule_count)),
                         [](const auto& one) {
                           return std::string(to_string(static_cast<AnomalyRule>(one.param)));
                         });

TEST(Anomalies, AHeldSnapshotIsNamedWithPidAndApplication) {
  AnomalyLimits limits;
  limits.from[static_cast<std::size_t>(AnomalyRule::held)] = 60;
  const Judgement judgement = judge({}, with(AnomalyRule::held, 61, start), limits);
  ASSERT_EQ(judgement.alerts.size(), 1u);
  EXPECT_THAT(sentence_of(judgement.alerts[0]), HasSubstr("process 4711, psql"));
}

TEST(Anomalies, OfFewJobsNoShareIsTaken) {
  AnomalyLimits limits;
  limits.from.fill(1);
  StoreSnapshot before = quiet(start), now = quiet(start + 5min);
  before.counts[0].jobs = 99;
  now.counts[0].jobs = 0;
  now.memory_bytes = 0;
  const std::vector<StoreSnapshot> past{before};
  EXPECT_TRUE(judge(past, now, limits).alerts.empty());
}

TEST(Anomalies, WhatIsOlderThanAnHourIsNotComparedWith) {
  AnomalyLimits limits;
  limits.from[static_cast<std::size_t>(AnomalyRule::drop)] = 30;
  StoreSnapshot now = quiet(start + 61min);
  now.counts[0].jobs = 10;
  const std::vector<StoreSnapshot> past{quiet(start)};
  EXPECT_TRUE(judge(past, now, limits).alerts.empty());
}

TEST(Anomalies, AQuietHourSaysNothingByTheDefaults) {
  const AnomalyLimits limits = AnomalyLimits::of(SettingValues());
  std::vector<StoreSnapshot> past;
  for (int i = 0; i < 12; ++i) {
    const StoreSnapshot now = quiet(start + i * 5min);
    EXPECT_TRUE(judge(past, now, limits).alerts.empty());
    past.push_back(now);
  }
}

TEST(WorkingHoursOf, AWeekKnowsItsNightsAndItsWeekend) {
  const auto hours = WorkingHours::make("08:00-18:00", "Europe/Berlin");
  ASSERT_TRUE(hours.ok());
  const Instant monday_noon{Millis{1'798'455'600'000}};  // 2026-12-28T12:00 in Berlin
  EXPECT_TRUE(hours->has(monday_noon));
  EXPECT_TRUE(hours->has(monday_noon - 4h));
  EXPECT_FALSE(hours->has(monday_noon - 4h - 1min));
  EXPECT_FALSE(hours->has(monday_noon + 6h));
  EXPECT_FALSE(hours->has(monday_noon - 24h)) << "Sunday";
  EXPECT_FALSE(hours->has(monday_noon + 5 * 24h)) << "Saturday";
  EXPECT_TRUE(hours->has(monday_noon + 4 * 24h));
}

TEST(WorkingHoursOf, NobodyAreAlwaysAndBadOnesAreRefused) {
  EXPECT_TRUE(WorkingHours::make("", "UTC")->has(start));
  for (const char* bad :
       {"8-18", "08:00", "18:00-08:00", "08:00-08:00", "25:00-26:00", "08:60-09:00", "08:00–18:00"})
    EXPECT_FALSE(WorkingHours::make(bad, "UTC").ok()) << bad;
  EXPECT_FALSE(WorkingHours::make("08:00-18:00", "Moon/Base").ok());
}

TEST(Snapshots, AllOfADayAreKeptOneOfEachHourForAWeekOneOfEachDayForTheSetting) {
  constexpr Millis keep = 90 * 24h;
  const Instant midnight{Millis{1'798'416'000'000}};
  std::map<Millis, int> kept;
  std::optional<Instant> last = midnight - 5min;
  for (Instant due = midnight; due < midnight + 24h; due += 5min) {
    ++kept[snapshot_until(due, last, keep) - due];
    last = due;
  }
  EXPECT_EQ(kept, (std::map<Millis, int>{{24h, 288 - 24}, {7 * 24h, 23}, {keep, 1}}));
  EXPECT_EQ(snapshot_name(midnight), "2026-12-28T00:00:00Z");
}

}  // namespace
}  // namespace quell
