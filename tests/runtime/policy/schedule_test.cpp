#include "runtime/policy/schedule.hpp"
#include "tests/runtime/policy/utc.hpp"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <time.h>

namespace quell {
namespace {

namespace chr = std::chrono;
using namespace std::chrono_literals;

using test::utc;

Schedule make(const char* cron, const char* zone = "UTC") {
  const Result<Schedule> made = Schedule::make(cron, zone);
  EXPECT_TRUE(made) << made.error().detail;
  return made.value();
}

TEST(Schedule, FiresStrictlyAfter) {
  const Schedule daily = make("0 12 * * *");
  EXPECT_EQ(daily.next(utc(2026, 1, 1)), utc(2026, 1, 1, 12));
  EXPECT_EQ(daily.next(utc(2026, 1, 1, 12)), utc(2026, 1, 2, 12));
  EXPECT_EQ(daily.next(utc(2026, 1, 1, 12) - 1ms), utc(2026, 1, 1, 12));
  EXPECT_EQ(daily.next(utc(2026, 1, 1, 12) + 1ms), utc(2026, 1, 2, 12));
}

// Over a year of each zone, with both of its jumps, from odd moments on.
TEST(Schedule, CountsWhatAWalkFromFireToFireFinds) {
  for (const char* zone : {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                           "Asia/Kathmandu", "America/Sao_Paulo"})
    for (const char* cron :
         {"0,15,30 2,3 * * *", "30 2 * * *", "0 3 * * *", "0 0 * * *", "*/7 1-4 1-7,25-31 * *",
          "17 */5 * * mon", "0 0 13 * fri", "5-50/9 2 * 3,10,11 sun", "*/30 59 1,2,23 * * *"}) {
      const Schedule one = make(cron, zone);
      Instant from = utc(2026, 1, 1, 3, 30);
      for (const Instant to :
           {utc(2026, 3, 29, 0, 59), utc(2026, 3, 29, 1), utc(2026, 10, 25, 0, 30),
            utc(2026, 10, 25, 1, 15), utc(2026, 12, 31)}) {
        std::int64_t walked = 0;
        for (auto fire = one.next(from); fire && *fire <= to; fire = one.next(*fire)) ++walked;
        EXPECT_EQ(one.count(from, to), walked) << cron << " in " << zone;
        from = to;
      }
    }
}

TEST(Schedule, FollowsTheWallClockOfItsZone) {
  const Schedule berlin = make("0 12 * * *", "Europe/Berlin");
  EXPECT_EQ(berlin.next(utc(2026, 1, 1)), utc(2026, 1, 1, 11));
  EXPECT_EQ(berlin.next(utc(2026, 7, 1)), utc(2026, 7, 1, 10));
  EXPECT_EQ(make("0 0 * * *", "Asia/Kathmandu").next(utc(2026, 1, 1)), utc(2026, 1, 1, 18, 15));
}

// Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC.
TEST(Schedule, ASkippedTimeFiresAtTheJumpOnce) {
  const Instant jump = utc(2026, 3, 29, 1);
  const Schedule half_past_two = make("30 2 * * *", "Europe/Berlin");
  EXPECT_EQ(half_past_two.upcoming(utc(2026, 3, 28), 3),
            (std::vector{utc(2026, 3, 28, 1, 30), jump, utc(2026, 3, 30, 0, 30)}));
  const Schedule several = make("0,15,30 2,3 * * *", "Europe/Berlin");
  EXPECT_EQ(several.upcoming(utc(2026, 3, 29), 3), (std::vector{jump, jump + 15min, jump + 30min}));
}

// Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC.
TEST(Schedule, ATimeThatComesTwiceFiresTheFirstTimeOnly) {
  const Schedule half_past_two = make("30 2 * * *", "Europe/Berlin");
  EXPECT_EQ(half_past_two.upcoming(utc(2026, 10, 24, 12), 2),
            (std::vector{utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)}));
  EXPECT_EQ(half_past_two.next(utc(2026, 10, 25, 1, 10)), utc(2026, 10, 26, 1, 30));
  EXPECT_EQ(make("0 3 * * *", "Europe/Berlin").next(utc(2026, 10, 25, 0, 59)),
            utc(2026, 10, 25, 2));
}

TEST(Schedule, AnOpenHourFollowsElapsedTimeAcrossBothJumps) {
  const Schedule half_hourly = make("*/30 * * * *", "Europe/Berlin");
  for (const Instant night : {utc(2026, 3, 28, 23), utc(2026, 10, 24, 23)}) {
    const auto fires = half_hourly.upcoming(night, 12);
    for (std::size_t at = 0; at < fires.size(); ++at)
      EXPECT_EQ(fires[at], night + (at + 1) * 30min);
  }
}

TEST(Schedule, SecondsAreKept) {
  EXPECT_EQ(
      make("*/20 * * * * *").upcoming(utc(2026, 1, 1, 0, 0, 5), 3),
      (std::vector{utc(2026, 1, 1, 0, 0, 20), utc(2026, 1, 1, 0, 0, 40), utc(2026, 1, 1, 0, 1)}));
}

TEST(Schedule, RareDatesAreFoundAndTheSearchIsBounded) {
  EXPECT_EQ(make("0 0 29 2 *", "Europe/Berlin").next(utc(2026, 1, 1)), utc(2028, 2, 28, 23));
  EXPECT_EQ(make("* * * * *").next(Instant::max()), std::nullopt);
  EXPECT_EQ(make("* * * * *").next(Instant::min()), std::nullopt);
  EXPECT_EQ(make("* * * * *", "Europe/Berlin").next(Instant::max()), std::nullopt);
}

TEST(Schedule, RefusesUnknownZonesAndBadExpressions) {
  for (const char* zone : {"", "Berlin", "Europe/Atlantis", "../../etc/passwd", "/etc/passwd",
                           "europe/berlin", "UTC+1"}) {
    EXPECT_FALSE(Schedule::make("* * * * *", zone)) << zone;
    EXPECT_FALSE(is_time_zone(zone)) << zone;
  }
  for (const char* zone : {"UTC", "Etc/UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"})
    EXPECT_TRUE(is_time_zone(zone)) << zone;
  EXPECT_EQ(Schedule::make("0 0 1--100000000 * *").error().code, ErrorCode::invalid_cron);
}

// The oracle: walk two years minute by minute, read the wall clock from the zone, and apply the two
// sentences of the header by hand, with the expression spelled out in C++. It shares no code with
// the schedule.
struct Minute {
  int minute, hour;
  unsigned day, month, weekday;
};
struct Expression {
  const char* text;
  bool follows_elapsed_time;
  bool (*fits)(const Minute&);
};

const std::vector<Expression>& expressions() {
  static const std::vector<Expression> all{
      {"30 2 * * *", false, [](const Minute& m) { return m.minute == 30 && m.hour == 2; }},
      {"0 2,3 * * sun", false,
       [](const Minute& m) {
         return m.minute == 0 && (m.hour == 2 || m.hour == 3) && m.weekday == 0;
       }},
      {"*/10 1-3 * * *", false,
       [](const Minute& m) { return m.minute % 10 == 0 && m.hour >= 1 && m.hour <= 3; }},
      {"15 * * * *", true, [](const Minute& m) { return m.minute == 15; }},
      {"*/7 */2 * * *", true, [](const Minute& m) { return m.minute % 7 == 0 && m.hour % 2 == 0; }},
      {"0 0 13 * fri", false,
       [](const Minute& m) {
         return m.minute == 0 && m.hour == 0 && (m.day == 13 || m.weekday == 5);
       }},
      {"59 23 28-31 feb,mar,oct *", false,
       [](const Minute& m) {
         return m.minute == 59 && m.hour == 23 && m.day >= 28 &&
                (m.month == 2 || m.month == 3 || m.month == 10);
       }},
  };
  return all;
}

Minute wall(chr::minutes local) {
  const auto days = chr::floor<chr::days>(local);
  static chr::days known_day{
      -1};  // a calendar date for each of a million minutes would cost most of the test
  static chr::year_month_day date;
  if (days != known_day) date = chr::year_month_day{chr::local_days{known_day = days}};
  const auto minutes = static_cast<int>((local - days).count());
  const auto weekday = (days.count() % 7 + 4 + 7) % 7;  // 1970-01-01 was a Thursday
  return {minutes % 60, minutes / 60, static_cast<unsigned>(date.day()),
          static_cast<unsigned>(date.month()), static_cast<unsigned>(weekday)};
}

// The C library reads the zone, so that the oracle shares not even the time zone code with the
// schedule.
class ProcessZone {
 public:
  explicit ProcessZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~ProcessZone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

chr::minutes local_of(chr::minutes at) {
  const time_t second = at.count() * 60;
  tm fields{};
  ::localtime_r(&second, &fields);
  return at + chr::minutes{fields.tm_gmtoff / 60};
}

std::int64_t minute_of(std::optional<Instant> fire) {
  const Millis since = fire.value().time_since_epoch();
  EXPECT_EQ(since % 1min, 0ms);
  return chr::floor<chr::minutes>(since).count();
}

class ScheduleOracle : public testing::TestWithParam<const char*> {};

TEST_P(ScheduleOracle, AgreesMinuteByMinuteOverTwoYears) {
  const ProcessZone zone(GetParam());
  const chr::minutes begin = chr::floor<chr::minutes>(utc(2025, 6, 1).time_since_epoch());
  const chr::minutes end = chr::floor<chr::minutes>(utc(2027, 6, 1).time_since_epoch());
  struct Run {
    Schedule schedule;
    std::int64_t next =
        0;  // plain minutes: a million comparisons of optionals are slow where nothing is inlined
    int fires = 0;
  };
  std::vector<Run> runs;
  for (const Expression& expression : expressions()) {
    const Schedule schedule = make(expression.text, GetParam());
    runs.push_back({schedule, minute_of(schedule.next(Instant{begin - 1min}))});
  }
  chr::minutes latest_seen = local_of(begin - 1min);
  for (chr::minutes now = begin; now < end; ++now) {
    const chr::minutes local = local_of(now);
    const bool second_pass = local <= latest_seen;
    const bool jumped = local > latest_seen + 1min;
    const Minute shown = wall(local);
    for (std::size_t at = 0; at < runs.size(); ++at) {
      const Expression& expression = expressions()[at];
      bool fires = expression.fits(shown);
      if (!expression.follows_elapsed_time && (second_pass || jumped)) {
        if (second_pass) fires = false;
        for (chr::minutes skipped = latest_seen + 1min; skipped < local; ++skipped)
          if (expression.fits(wall(skipped))) fires = true;
      }
      if (fires != (runs[at].next == now.count()))
        FAIL() << expression.text << " in " << GetParam() << " at " << now.count() * 60
               << " s after 1970";
      if (fires) {
        runs[at].next = minute_of(runs[at].schedule.next(Instant{now}));
        ++runs[at].fires;
      }
    }
    latest_seen = std::max(latest_seen, local);
  }
  for (const Run& run : runs) EXPECT_GT(run.fires, 10);
}

// Lord Howe shifts by half an hour, and in the southern seasons.
INSTANTIATE_TEST_SUITE_P(Zones, ScheduleOracle,
                         testing::Values("Europe/Berlin", "America/New_York",
                                         "Australia/Lord_Howe"));

}  // namespace
}  // namespace quell
