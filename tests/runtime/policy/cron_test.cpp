#include "runtime/policy/cron.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/runtime/base/dice.hpp"

namespace quell {
namespace {

namespace chr = std::chrono;
using namespace std::chrono_literals;

LocalSecond at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0,
               int second = 0) {
  return chr::local_days{chr::year{year} / chr::month{month} / chr::day{day}} + chr::hours{hour} +
         chr::minutes{minute} + chr::seconds{second};
}

bool fits(const char* cron, LocalSecond when) {
  const Result<Cron> parsed = Cron::parse(cron);
  EXPECT_TRUE(parsed) << cron << ": " << parsed.error().detail;
  return parsed && parsed->matches(when);
}

// 2026-11-21 is a Saturday.
TEST(Cron, ReadsFiveFieldsAsMinutesFirst) {
  EXPECT_TRUE(fits("30 12 21 11 6", at(2026, 11, 21, 12, 30)));
  EXPECT_FALSE(fits("30 12 21 11 6", at(2026, 11, 21, 12, 30, 1)));
  EXPECT_FALSE(fits("30 12 21 11 6", at(2026, 11, 21, 12, 31)));
  EXPECT_FALSE(fits("30 12 * 10 *", at(2026, 11, 21, 12, 30)));
}

TEST(Cron, ReadsSixFieldsAsSecondsFirst) {
  EXPECT_TRUE(fits("15 30 12 * * *", at(2026, 11, 21, 12, 30, 15)));
  EXPECT_FALSE(fits("15 30 12 * * *", at(2026, 11, 21, 12, 30, 0)));
  EXPECT_TRUE(fits("*/20 * * * * *", at(2026, 11, 21, 1, 2, 40)));
}

TEST(Cron, ReadsNamesInEitherCase) {
  EXPECT_TRUE(fits("0 0 * NOV Sat", at(2026, 11, 21)));
  EXPECT_TRUE(fits("0 0 * jan-dec mon-sat", at(2026, 11, 21)));
  EXPECT_FALSE(fits("0 0 * * mon-fri", at(2026, 11, 21)));
}

TEST(Cron, SundayIsZeroAndSevenAndEndsAWeek) {
  for (const char* cron :
       {"0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * sat-sun", "0 0 * * 5-7", "0 0 * * */7"})
    EXPECT_TRUE(fits(cron, at(2026, 11, 22))) << cron;
  EXPECT_FALSE(fits("0 0 * * sat-sun", at(2026, 11, 23)));
  EXPECT_FALSE(fits("0 0 * * 1-6", at(2026, 11, 22)));
}

TEST(Cron, ReadsRangesStepsAndLists) {
  const auto minutes = [](const char* field) {
    std::string found;
    for (int minute = 0; minute < 60; ++minute)
      if (fits((std::string(field) + " * * * *").c_str(), at(2026, 1, 1, 0, minute)))
        found += std::to_string(minute) + " ";
    return found;
  };
  EXPECT_EQ(minutes("*/15"), "0 15 30 45 ");
  EXPECT_EQ(minutes("5-10"), "5 6 7 8 9 10 ");
  EXPECT_EQ(minutes("5-20/5"), "5 10 15 20 ");
  EXPECT_EQ(minutes("50/3"), "50 53 56 59 ");
  EXPECT_EQ(minutes("1,2,40-41,*/30"), "0 1 2 30 40 41 ");
  EXPECT_EQ(minutes("*/60"), "0 ");
  EXPECT_EQ(minutes("007"), "7 ");
}

TEST(Cron, TwoRestrictedDayFieldsMeanEither) {
  EXPECT_TRUE(fits("0 0 13 * fri", at(2026, 11, 13)));
  EXPECT_TRUE(fits("0 0 13 * fri", at(2026, 12, 13)));
  EXPECT_TRUE(fits("0 0 13 * fri", at(2026, 11, 20)));
  EXPECT_FALSE(fits("0 0 13 * fri", at(2026, 11, 14)));
  EXPECT_FALSE(fits("0 0 */2 * fri", at(2026, 11, 20)));  // begins with *: both must fit
  EXPECT_TRUE(fits("0 0 */2 * fri", at(2026, 11, 27)));
  EXPECT_TRUE(fits("0 0 ? * fri", at(2026, 11, 20)));
}

TEST(Cron, MacrosMeanTheirFields) {
  EXPECT_TRUE(fits("@hourly", at(2026, 11, 21, 5)));
  EXPECT_TRUE(fits("@daily", at(2026, 11, 21)));
  EXPECT_FALSE(fits("@daily", at(2026, 11, 21, 1)));
  EXPECT_TRUE(fits("@midnight", at(2026, 11, 21)));
  EXPECT_TRUE(fits(" @Weekly ", at(2026, 11, 22)));
  EXPECT_TRUE(fits("@monthly", at(2026, 11, 1)));
  EXPECT_TRUE(fits("@yearly", at(2026, 1, 1)));
  EXPECT_TRUE(fits("@annually", at(2026, 1, 1)));
}

TEST(Cron, RefusesWhatItDoesNotUnderstand) {
  for (const char* text : {"",
                           " ",
                           "*",
                           "* * * *",
                           "* * * * * * *",
                           "60 * * * *",
                           "* 24 * * *",
                           "* * 0 * *",
                           "* * 32 * *",
                           "* * * 0 *",
                           "* * * 13 *",
                           "* * * * 8",
                           "-1 * * * *",
                           "1- * * * *",
                           "-5 * * * *",
                           "1-2-3 * * * *",
                           "5-1 * * * *",
                           "*/0 * * * *",
                           "*/61 * * * *",
                           "*/ * * * *",
                           "/5 * * * *",
                           "1//2 * * * *",
                           "1/2/3 * * * *",
                           ", * * * *",
                           "1, * * * *",
                           ",1 * * * *",
                           "a * * * *",
                           "1.5 * * * *",
                           "+1 * * * *",
                           "0x1 * * * *",
                           "* * L * *",
                           "* * 15W * *",
                           "* * * * 5#2",
                           "@reboot",
                           "@every 5m",
                           "@",
                           "* * * foo *",
                           "* * * * sunday",
                           "** * * * *",
                           "*1 * * * *",
                           "0 0 1--100000000 * *",
                           "0 0 1-100000000 * *",
                           "99999999999999999999 * * * *",
                           "* * * * *\n* * * * *"}) {
    const Result<Cron> parsed = Cron::parse(text);
    EXPECT_FALSE(parsed) << text;
    if (!parsed) {
      EXPECT_EQ(parsed.error().code, ErrorCode::invalid_cron);
      EXPECT_FALSE(parsed.error().detail.empty());
    }
  }
  EXPECT_FALSE(Cron::parse(std::string(10'000, '*')));
  EXPECT_FALSE(Cron::parse("* * * * " + std::string(10'000, ' ') + "*"));
}

TEST(Cron, RefusesADateThatNeverComes) {
  for (const char* text : {"0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30-31 feb *"})
    EXPECT_FALSE(Cron::parse(text)) << text;
  EXPECT_TRUE(Cron::parse("0 0 30 2 mon"));  // either day field fits: Mondays in February
  EXPECT_TRUE(Cron::parse("0 0 29 2 *"));
}

TEST(Cron, FindsALeapDayAcrossACenturyWithoutOne) {
  const Cron leap = *Cron::parse("0 0 29 2 *");
  EXPECT_EQ(leap.first_match(at(2096, 3, 1), LocalSecond::max()), at(2104, 2, 29));
  const Cron leap_sunday = *Cron::parse("0 0 29 2 */7");
  EXPECT_EQ(leap_sunday.first_match(at(2088, 3, 1), LocalSecond::max()), at(2128, 2, 29));
}

TEST(Cron, StopsAtTheEndOfTheStretch) {
  const Cron noon = *Cron::parse("0 12 * * *");
  EXPECT_EQ(noon.first_match(at(2026, 1, 1), at(2026, 1, 1, 12)), std::nullopt);
  EXPECT_EQ(noon.first_match(at(2026, 1, 1), at(2026, 1, 1, 12, 0, 1)), at(2026, 1, 1, 12));
  EXPECT_EQ(noon.first_match(at(2026, 1, 1, 12), at(2026, 1, 2)), at(2026, 1, 1, 12));
  EXPECT_EQ(noon.first_match(at(2026, 1, 1, 12, 0, 1), LocalSecond::max()), at(2026, 1, 2, 12));
}

// Random expressions against a count that looks at each second in turn.
TEST(Cron, TheFirstMatchIsTheFirstSecondThatMatches) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    const auto field = [&](unsigned min, unsigned max) {
      const unsigned a = min + dice.below(max - min + 1), b = min + dice.below(max - min + 1);
      switch (dice.below(4)) {
        case 0:
          return std::string("*");
        case 1:
          return "*/" + std::to_string(1 + dice.below(max - min + 1));
        case 2:
          return std::to_string(std::min(a, b)) + "-" + std::to_string(std::max(a, b));
        default:
          return std::to_string(a) + "," + std::to_string(b);
      }
    };
    const std::string text =
        field(0, 59) + " " + field(0, 59) + " " + field(0, 23) + " * * " + field(0, 6);
    SCOPED_TRACE(text);
    const Cron cron = Cron::parse(text).value();
    const LocalSecond from =
        at(2026, 1 + dice.below(12), 1 + dice.below(28), static_cast<int>(dice.below(24)),
           static_cast<int>(dice.below(60)), static_cast<int>(dice.below(60)));
    const LocalSecond end = from + chr::seconds{20'000};
    std::optional<LocalSecond> expected;
    for (LocalSecond now = from; now < end && !expected; now += 1s)
      if (cron.matches(now)) expected = now;
    EXPECT_EQ(cron.first_match(from, end), expected);
  }
}

}  // namespace
}  // namespace quell
