#include "runtime/base/id.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

class StandingClock final : public Clock {
 public:
  Instant now() const override { return Instant{Millis{ms}}; }
  Millis monotonic() const override { return Millis{ms}; }
  std::int64_t ms = 1'700'000'000'000;
};

TEST(Id, SurvivesTheRoundTripThroughText) {
  IdSource ids(system_clock());
  const Uuid id = ids.next();
  EXPECT_EQ(Uuid::parse(id.text()), id);
  EXPECT_EQ(id.text().at(14), '7');
}

TEST(Id, RefusesWhatIsNotAUuid) {
  for (const char* text :
       {"", "0198c2", "0198c2c0-0000-7000-8000-00000000000g",
        "0198c2c0x0000-7000-8000-000000000000", "0198c2c000007000800000000000000000000"})
    EXPECT_FALSE(Uuid::parse(text)) << text;
}

TEST(Id, RisesStrictlyWhileTheClockStandsStillAndStepsBack) {
  StandingClock clock;
  IdSource ids(clock);
  Uuid last = ids.next();
  for (int i = 0; i < 20'000; ++i) {
    if (i == 10'000) clock.ms -= 5'000;
    const Uuid next = ids.next();
    ASSERT_LT(last, next);
    last = next;
  }
}

TEST(Id, CarriesItsTime) {
  StandingClock clock;
  IdSource ids(clock);
  EXPECT_EQ(ids.next().time(), clock.now());
}

}  // namespace
}  // namespace quell
