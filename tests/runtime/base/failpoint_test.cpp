#include "runtime/base/failpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>

namespace quell {
namespace {

using testing::HasSubstr;

struct Failpoints : testing::Test {
  ~Failpoints() override { EXPECT_TRUE(arm_failpoints("").ok()); }
  static std::string fault(std::string_view text) {
    const auto armed = arm_failpoints(text);
    return armed ? "" : armed.error().detail;
  }
};

TEST_F(Failpoints, AreManyAndEachHasItsOwnName) {
  std::set<std::string_view> names;
  for (const FailpointInfo& row : failpoint_infos())
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
  EXPECT_GE(names.size(), 24u);
}

TEST_F(Failpoints, AreNothingUntilArmedAndNothingAgainAfter) {
  EXPECT_FALSE(fails_here(Failpoint::mark_before));
  ASSERT_EQ(fault("mark.before=error"), "");
  EXPECT_TRUE(fails_here(Failpoint::mark_before));
  EXPECT_TRUE(fails_here(Failpoint::mark_before));
  EXPECT_FALSE(fails_here(Failpoint::mark_after)) << "another place is left alone";
  ASSERT_EQ(fault(""), "");
  EXPECT_FALSE(fails_here(Failpoint::mark_before));
}

TEST_F(Failpoints, StrikeOnTheVisitAskedForAndOnNoOther) {
  ASSERT_EQ(fault("erase.after=error@2,stop.before=error@1"), "");
  EXPECT_FALSE(fails_here(Failpoint::erase_after));
  EXPECT_TRUE(fails_here(Failpoint::stop_before));
  EXPECT_TRUE(fails_here(Failpoint::erase_after));
  EXPECT_FALSE(fails_here(Failpoint::erase_after));
  EXPECT_FALSE(fails_here(Failpoint::stop_before));
}

TEST_F(Failpoints, ADelayHoldsThePlaceAndThenGoesOn) {
  ASSERT_EQ(fault("claim.within=delay:30"), "");
  const auto from = std::chrono::steady_clock::now();
  EXPECT_FALSE(fails_here(Failpoint::claim_within));
  EXPECT_GE(std::chrono::steady_clock::now() - from, std::chrono::milliseconds(30));
}

TEST_F(Failpoints, ACrashKillsTheProcessAndSaysWhere) {
  ASSERT_EQ(fault("finish.before=crash"), "");
  EXPECT_EXIT(fails_here(Failpoint::finish_before), testing::KilledBySignal(SIGKILL),
              "failpoint finish.before crash");
}

TEST_F(Failpoints, ThrowWhereControlIsAndNowhereElse) {
  ASSERT_EQ(fault("control.clerk=throw@2"), "");
  EXPECT_FALSE(fails_here(Failpoint::control_clerk));
  EXPECT_THROW(static_cast<void>(fails_here(Failpoint::control_clerk)), std::runtime_error);
  EXPECT_FALSE(fails_here(Failpoint::control_clerk));
  EXPECT_THAT(fault("mark.before=throw"), HasSubstr("catches no throw"));
  EXPECT_THAT(fault("control.clerk=error"), HasSubstr("throw, crash or delay"));
}

TEST_F(Failpoints, SayWhatIsWrongWithTheirText) {
  EXPECT_THAT(fault("erase.befor=crash"), HasSubstr("did you mean 'erase.before'"));
  EXPECT_THAT(fault("erase.before"), HasSubstr("NAME=ACTION"));
  EXPECT_THAT(fault("erase.before=explode"), HasSubstr("needs crash, error, throw, delay"));
  EXPECT_THAT(fault("erase.before=crash@0"), HasSubstr("number of a visit"));
  EXPECT_THAT(fault("erase.before=delay:x"), HasSubstr("needs crash, error, throw, delay"));
  EXPECT_THAT(fault("stop.after=error"), HasSubstr("cannot fail there"));
  EXPECT_FALSE(fails_here(Failpoint::erase_before)) << "a text with a fault arms nothing";
}

}  // namespace
}  // namespace quell
