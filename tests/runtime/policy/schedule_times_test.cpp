#include "runtime/policy/schedule_times.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "runtime/policy/schedule_terms.hpp"
#include "tests/runtime/policy/utc.hpp"

namespace quell {
namespace {

namespace chr = std::chrono;
using namespace std::chrono_literals;

constexpr Millis grace{60'000};

using test::utc;

Uuid task() {
  return *Uuid::parse("0198c2c0-0000-7000-8000-000000000001");
}

ScheduleTimes made(const TimesTold& told, Instant anchor = utc(2026, 1, 1)) {
  const auto times = ScheduleTimes::make(told, anchor);
  EXPECT_TRUE(times) << times.error().detail;
  return times.value();
}

TimesTold by_cron(const char* cron, const char* zone = "UTC", Misfire misfire = Misfire::once) {
  TimesTold told;
  told.cron = cron;
  told.zone = zone;
  told.misfire = misfire;
  return told;
}

TimesTold by_interval(Millis every, Misfire misfire = Misfire::once) {
  TimesTold told;
  told.every = every;
  told.misfire = misfire;
  return told;
}

// A timekeeper without a store: it looks each second of a clock that the test turns, and what fired
// before is known by its id, as the store knows it.
class Played {
 public:
  Played(ScheduleTimes times, Instant now) : times_(std::move(times)), next_(times_.next(now)) {}

  void look(Instant now) {
    if (!next_ || times_.wake(task(), *next_) > now) return;
    const FirePlan plan = times_.plan(task(), *next_, now, grace);
    for (const Instant due : plan.fires) {
      if (born_.insert(fire_id(task(), due)).second)
        fires.push_back(due);
      else
        ++again;
    }
    missed += plan.missed;
    next_ = plan.next;
  }
  void look_each_second(Instant from, Instant to) {
    for (Instant now = from; now <= to; now += 1s) look(now);
  }
  // As a timekeeper does when the clock was put to another time.
  void plan_anew(Instant now) {
    if (!next_ || *next_ > now) next_ = times_.next(now);
  }

  std::vector<Instant> fires;
  std::int64_t missed = 0;
  int again = 0;

 private:
  ScheduleTimes times_;
  std::optional<Instant> next_;
  std::set<Uuid> born_;
};

TEST(ScheduleTimes, TakesExactlyOneWay) {
  TimesTold told;
  EXPECT_FALSE(ScheduleTimes::make(told, utc(2026, 1, 1)));
  told = by_cron("* * * * *");
  told.every = 5s;
  EXPECT_FALSE(ScheduleTimes::make(told, utc(2026, 1, 1)));
  EXPECT_FALSE(ScheduleTimes::make(by_interval(999ms), utc(2026, 1, 1)));
  told = by_interval(5s);
  told.zone = "Mars/Base";
  EXPECT_FALSE(ScheduleTimes::make(told, utc(2026, 1, 1)));
  told = by_interval(5s);
  told.start = told.end = utc(2026, 1, 2);
  EXPECT_FALSE(ScheduleTimes::make(told, utc(2026, 1, 1)));
}

TEST(ScheduleTimes, AnIntervalCountsFromItsStartOrFromItsBirth) {
  const Instant born = utc(2026, 1, 1, 0, 0, 7);
  EXPECT_EQ(made(by_interval(60s), born).upcoming(born, 2), (std::vector{born + 60s, born + 120s}));
  TimesTold told = by_interval(60s);
  told.start = born + 5s;
  EXPECT_EQ(made(told, born).upcoming(born, 2), (std::vector{born + 5s, born + 65s}));
  EXPECT_EQ(made(told, born).next(born + 65s), born + 125s);
  told.end = born + 65s;
  EXPECT_EQ(made(told, born).upcoming(born, 9), (std::vector{born + 5s}));
}

TEST(ScheduleTimes, OneTimeComesOnce) {
  TimesTold told;
  told.at = utc(2026, 5, 1);
  const ScheduleTimes times = made(told);
  EXPECT_EQ(times.next(utc(2026, 4, 1)), utc(2026, 5, 1));
  EXPECT_EQ(times.next(utc(2026, 5, 1)), std::nullopt);
}

TEST(ScheduleTimes, OnTimeEachDueTimeFires) {
  const Instant start = utc(2026, 1, 1);
  Played played(made(by_interval(10s)), start);
  played.look_each_second(start, start + 1h);
  EXPECT_EQ(played.fires.size(), 360U);
  EXPECT_EQ(played.missed, 0);
}

// Wherever clocks change, a timekeeper that looks each second fires what the schedule says and
// nothing else.
TEST(ScheduleTimes, FiresOverBothEdgesOfSeveralZonesAsThePlanSays) {
  const std::map<const char*, std::vector<Instant>> edges{
      {"Europe/Berlin", {utc(2026, 3, 29), utc(2026, 10, 25)}},
      {"America/New_York", {utc(2026, 3, 8, 5), utc(2026, 11, 1, 4)}},
      {"Australia/Lord_Howe", {utc(2026, 4, 4, 13), utc(2026, 10, 3, 14)}},
      {"America/St_Johns", {utc(2026, 3, 8, 3), utc(2026, 11, 1, 3)}}};
  for (const auto& [zone, days] : edges)
    for (const char* cron : {"30 2 * * *", "*/15 * * * *", "0 * * * *", "0,30 1-3 * * *"})
      for (const Instant from : days) {
        const ScheduleTimes times = made(by_cron(cron, zone));
        Played played(times, from);
        played.look_each_second(from, from + 6h);
        std::vector<Instant> told = times.upcoming(from, 100);
        std::erase_if(told, [&](Instant due) { return due > from + 6h; });
        EXPECT_EQ(played.fires, told) << zone << " " << cron;
      }
}

TEST(ScheduleTimes, KnowsLeapDays) {
  EXPECT_EQ(made(by_cron("0 0 29 2 *")).upcoming(utc(2026, 1, 1), 2),
            (std::vector{utc(2028, 2, 29), utc(2032, 2, 29)}));
}

TEST(ScheduleTimes, AnHourBackFiresNothingTwiceAndAnHourForthIsMissed) {
  const Instant start = utc(2026, 6, 1, 12);
  Played played(made(by_cron("*/5 * * * *")), start - 1s);
  played.look_each_second(start, start + 30min);
  ASSERT_EQ(played.fires.size(), 7U);
  played.plan_anew(start - 30min);
  played.look_each_second(start - 30min, start + 40min);
  EXPECT_EQ(played.again, 7);
  EXPECT_EQ(std::set<Instant>(played.fires.begin(), played.fires.end()).size(),
            played.fires.size());
  EXPECT_EQ(played.fires.back(), start + 40min);
  const std::size_t before = played.fires.size();
  played.look(start + 100min);
  EXPECT_EQ(played.fires.size(), before + 1);  // once
  EXPECT_EQ(played.fires.back(), start + 100min);
  EXPECT_EQ(played.missed, 11);
}

TEST(ScheduleTimes, TenYearsForthAndBackLeaveNoScheduleBehind) {
  for (const Misfire misfire : {Misfire::skip, Misfire::once, Misfire::all}) {
    const Instant start = utc(2026, 6, 1, 12);
    TimesTold told = by_cron("* * * * * *", "Europe/Berlin", misfire);
    Played played(made(told), start - 1s);
    played.look(start);
    EXPECT_EQ(played.fires.size(), 1U);
    const auto began = chr::steady_clock::now();
    played.look(utc(2036, 6, 1));
    EXPECT_LT(chr::steady_clock::now() - began, 20s);
    EXPECT_LE(played.fires.size(), 1'001U);
    const auto seconds = static_cast<std::int64_t>((utc(2036, 6, 1) - start) / 1s);
    EXPECT_EQ(played.missed + static_cast<std::int64_t>(played.fires.size()) - 1, seconds);
    played.plan_anew(start + 1s);
    const std::size_t before = played.fires.size();
    played.look_each_second(start + 1s, start + 60s);
    EXPECT_GE(played.fires.size(), before + 59) << to_string(misfire);
  }
}

TEST(ScheduleTimes, WhatIsMissedIsCountedToTheLastOne) {
  const Instant from = utc(2026, 3, 1), to = utc(2026, 11, 30, 12, 7, 9);
  const auto missed = [&](const TimesTold& told) {
    const ScheduleTimes times = made(told);
    const FirePlan plan = times.plan(task(), *times.next(from), to, grace);
    EXPECT_LE(plan.fires.size(), 1U);
    std::int64_t walked = 0;
    for (auto due = times.next(from); due && *due <= to; due = times.next(*due)) ++walked;
    EXPECT_EQ(plan.missed + static_cast<std::int64_t>(plan.fires.size()), walked);
    return walked;
  };
  TimesTold bounded = by_cron("*/10 * * * *");
  bounded.start = utc(2026, 4, 1, 0, 5);
  bounded.end = utc(2026, 4, 30);
  EXPECT_GT(missed(bounded), 4'000);
  EXPECT_GT(missed(by_interval(7s)), 3'000'000);
  EXPECT_GT(missed(by_cron("*/2 * * * *", "Europe/Berlin")), 190'000);
}

TEST(ScheduleTimes, MisfiresGoByTheirPolicy) {
  const Instant due = utc(2026, 1, 1, 1), now = utc(2026, 1, 1, 6, 0, 30);
  const auto plan = [&](Misfire misfire, int limit = 3) {
    TimesTold told = by_cron("0 * * * *", "UTC", misfire);
    told.misfire_limit = limit;
    return made(told).plan(task(), due, now, grace);
  };
  const auto hour = [](int h) { return utc(2026, 1, 1, h); };
  EXPECT_EQ(plan(Misfire::skip).fires, std::vector{hour(6)});
  EXPECT_EQ(plan(Misfire::skip).missed, 5);
  EXPECT_EQ(plan(Misfire::once).fires, std::vector{hour(6)});
  EXPECT_EQ(plan(Misfire::all).fires, (std::vector{hour(4), hour(5), hour(6)}));
  EXPECT_EQ(plan(Misfire::all).missed, 3);
  EXPECT_EQ(plan(Misfire::all, 100).fires.size(), 6U);
  EXPECT_EQ(plan(Misfire::all, 100).missed, 0);
  for (const Misfire misfire : {Misfire::skip, Misfire::once, Misfire::all})
    EXPECT_EQ(plan(misfire).next, hour(7));
}

TEST(ScheduleTimes, JitterIsAPartOfItsTimeAndAlwaysTheSameOne) {
  TimesTold told = by_interval(600s);
  told.jitter = 60s;
  const ScheduleTimes times = made(told);
  std::set<Millis> parts;
  for (const Instant due : times.upcoming(utc(2026, 1, 1), 200)) {
    const Millis part = times.wake(task(), due) - due;
    EXPECT_EQ(times.wake(task(), due), due + part);
    EXPECT_GE(part, 0ms);
    EXPECT_LE(part, 60s);
    parts.insert(part);
  }
  EXPECT_GT(parts.size(), 150U);
  Played played(times, utc(2026, 1, 1));
  played.look_each_second(utc(2026, 1, 1), utc(2026, 1, 2));
  EXPECT_GE(played.fires.size(), 143U);
  EXPECT_EQ(played.missed, 0);
}

TEST(FireId, IsOfItsTaskAndItsDueTimeAndBeginsWithThat) {
  const Instant due = utc(2026, 1, 1, 3);
  EXPECT_EQ(fire_id(task(), due), fire_id(task(), due));
  EXPECT_NE(fire_id(task(), due), fire_id(task(), due + 1ms));
  EXPECT_NE(fire_id(task(), due), fire_id(fire_id(task(), due), due));
  EXPECT_EQ(fire_id(task(), due).time(), due);
  EXPECT_EQ(fire_id(task(), due).bytes[6] >> 4, 7);
}

TEST(ScheduleTerms, ComeBackAsTheyWere) {
  ScheduleTerms terms;
  terms.times = by_cron("0 3 * * 1", "Asia/Tokyo", Misfire::all);
  terms.times.start = utc(2026, 1, 1);
  terms.times.end = utc(2027, 1, 1);
  terms.times.jitter = 5s;
  terms.times.misfire_limit = 7;
  terms.overlap = Overlap::queue_one;
  terms.deadline = 30s;
  terms.job.kind = "http";
  terms.job.args = R"({"url":"http://a.example/ä"})";
  terms.job.queue = "slow";
  terms.job.priority = 9;
  terms.job.unique_key = "only";
  terms.job.options.tags = {"a", "b"};
  const ScheduleTerms back = terms_from_json(to_json(terms));
  EXPECT_EQ(back.times, terms.times);
  EXPECT_EQ(back.overlap, terms.overlap);
  EXPECT_EQ(back.deadline, terms.deadline);
  EXPECT_EQ(back.job.args, terms.job.args);
  EXPECT_EQ(back.job.options, terms.job.options);
  const Instant due = utc(2026, 3, 2);
  const NewJob job = job_of_fire(back, task(), "red", due, due + 2s);
  EXPECT_EQ(job.id, fire_id(task(), due));
  EXPECT_EQ(job.project, "red");
  EXPECT_EQ(job.unique_key, "only");
  EXPECT_EQ(job.options.schedule, task().text());
  EXPECT_EQ(job.options.deadline, due + 32s);
}

TEST(ScheduleStatus, OnlyTwoAreForClients) {
  EXPECT_TRUE(is_for_clients(ScheduleStatus::active));
  EXPECT_TRUE(is_for_clients(ScheduleStatus::disabled));
  EXPECT_FALSE(is_for_clients(ScheduleStatus::pending_delete));
  EXPECT_FALSE(is_for_clients(ScheduleStatus::delete_failed));
  for (const auto status : {ScheduleStatus::active, ScheduleStatus::disabled,
                            ScheduleStatus::pending_delete, ScheduleStatus::delete_failed})
    EXPECT_EQ(parse_schedule_status(to_string(status)), status);
  EXPECT_EQ(parse_schedule_status("active"), std::nullopt);
}

}  // namespace
}  // namespace quell
