#include <gtest/gtest.h>

#include "runtime/kinds/forked.hpp"

namespace quell {
namespace {

JobId job_number(int n) {
  return *Uuid::parse("0198c2c0-0000-7000-8000-00000000000" + std::to_string(n));
}

TEST(TaskRates, NothingIsHeldBackOfATaskWithoutOne) {
  TaskRates rates;
  EXPECT_FALSE(rates.knows("t"));
  EXPECT_FALSE(rates.wait_of("t", job_number(1), Instant{}));
}

TEST(TaskRates, EachStartHasATimeOfItsOwnAndKeepsItUntilItComes) {
  TaskRates rates;
  rates.set("t", 2);
  const Instant now{Millis{1'000'000}};
  EXPECT_FALSE(rates.wait_of("t", job_number(1), now));
  EXPECT_EQ(rates.wait_of("t", job_number(2), now), Millis{500});
  EXPECT_EQ(rates.wait_of("t", job_number(3), now), Millis{1000});
  // Asked too early it waits for the rest of the same time, not for a new one.
  EXPECT_EQ(rates.wait_of("t", job_number(2), now + Millis{200}), Millis{300});
  EXPECT_FALSE(rates.wait_of("t", job_number(2), now + Millis{500}));
  EXPECT_FALSE(rates.wait_of("t", job_number(3), now + Millis{1200}));
  EXPECT_FALSE(rates.wait_of("t", job_number(4), now + Millis{5000}));
  EXPECT_EQ(rates.wait_of("t", job_number(5), now + Millis{5000}), Millis{500});
}

TEST(TaskRates, OneTaskDoesNotHoldBackAnother) {
  TaskRates rates;
  rates.set("t", 1);
  rates.set("u", 1);
  const Instant now{Millis{1'000'000}};
  EXPECT_FALSE(rates.wait_of("t", job_number(1), now));
  EXPECT_FALSE(rates.wait_of("u", job_number(2), now));
}

}  // namespace
}  // namespace quell
