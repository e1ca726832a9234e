#include "runtime/policy/restore_policy.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace quell {
namespace {

using namespace std::chrono_literals;

const Instant today{Millis{1'800'000'000'000}};

TEST(RestorePolicy, WhatHadEndedComesBackAsItWas) {
  for (const JobState was : {JobState::succeeded, JobState::failed, JobState::cancelled})
    for (const bool rerun : {false, true}) EXPECT_EQ(restored_state(was, {}, today, rerun), was);
}

TEST(RestorePolicy, WhatWaitedWaitsAgain) {
  for (const bool rerun : {false, true}) {
    EXPECT_EQ(restored_state(JobState::queued, {}, today, rerun), JobState::queued);
    EXPECT_EQ(restored_state(JobState::scheduled, today + 1ms, today, rerun), JobState::scheduled);
    EXPECT_EQ(restored_state(JobState::scheduled, today, today, rerun), JobState::queued);
    EXPECT_EQ(restored_state(JobState::scheduled, {}, today, rerun), JobState::queued)
        << "a copy of an earlier version does not say when";
  }
}

TEST(RestorePolicy, WhatRanDoesNotRunAgainUnlessItIsSaid) {
  EXPECT_EQ(restored_state(JobState::running, {}, today, false), JobState::cancelled);
  EXPECT_EQ(restored_state(JobState::running, {}, today, true), JobState::queued);
}

}  // namespace
}  // namespace quell
