#include "runtime/retention_policy.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

using namespace std::chrono_literals;

const Instant finished{Millis{1'800'000'000'000}};
constexpr auto day = std::chrono::hours{24};
const JobState every_state[] = {
    JobState::scheduled, JobState::queued,    JobState::running,        JobState::succeeded,
    JobState::failed,    JobState::cancelled, JobState::pending_delete, JobState::delete_failed};

TEST(RetentionPolicy, EachFinalStateHasItsOwnTime) {
  const RetentionRules rules = RetentionRules::of(Settings().values);
  EXPECT_EQ(expires_at(rules, JobState::succeeded, finished), finished + 7 * day);
  EXPECT_EQ(expires_at(rules, JobState::failed, finished), finished + 30 * day);
  EXPECT_EQ(expires_at(rules, JobState::cancelled, finished), finished + 3 * day);
}

TEST(RetentionPolicy, WhatIsNotFinalNeverExpires) {
  RetentionRules rules;
  rules.result_days = 1;
  for (const JobState state : every_state) {
    EXPECT_EQ(expires_at(rules, state, finished).has_value(), is_final(state)) << to_string(state);
    EXPECT_EQ(result_expires_at(rules, state, finished).has_value(), is_final(state))
        << to_string(state);
  }
}

TEST(RetentionPolicy, ZeroKeepsForEver) {
  const RetentionRules rules{0, 0, 0, 0};
  for (const JobState state : every_state) {
    EXPECT_FALSE(expires_at(rules, state, finished));
    EXPECT_FALSE(result_expires_at(rules, state, finished));
  }
}

TEST(RetentionPolicy, AResultNeverOutlivesItsJob) {
  for (std::int64_t record = 0; record <= 5; ++record)
    for (std::int64_t result = 0; result <= 5; ++result) {
      const RetentionRules rules{record, record, record, result};
      const auto job_goes = expires_at(rules, JobState::failed, finished);
      const auto result_goes = result_expires_at(rules, JobState::failed, finished);
      if (job_goes) {
        ASSERT_TRUE(result_goes);
        EXPECT_LE(*result_goes, *job_goes);
      }
      if (result > 0) {
        ASSERT_TRUE(result_goes);
        EXPECT_LE(*result_goes, finished + result * day);
      }
    }
}

TEST(RetentionPolicy, ARestoredJobKeepsWhatItHadLeft) {
  EXPECT_EQ(restored_expiry(finished + 7 * day, finished + 5 * day, finished + 100 * day),
            finished + 102 * day);
  EXPECT_EQ(restored_expiry(std::nullopt, finished, finished + day), std::nullopt);
  EXPECT_EQ(restored_expiry(finished, finished + day, finished + 2 * day), finished + 2 * day);
}

TEST(Purge, IsOffUntilSwitchedOn) {
  SettingValues values = Settings().values;
  EXPECT_EQ(plan_purge(values, PurgeCause::timer, 1'000, false).take, 0u);
  EXPECT_EQ(plan_purge(values, PurgeCause::timer, 1'000, true).take, 0u);
  values.purge = true;
  EXPECT_EQ(plan_purge(values, PurgeCause::timer, 1'000, false).take, 100u);
}

TEST(Purge, TakesNoMoreThanItsMaximumWithoutConfirmation) {
  SettingValues values = Settings().values;
  values.purge = true;
  for (const std::uint64_t due : {0u, 1u, 99u, 100u, 101u, 5'000u})
    for (const PurgeCause cause : {PurgeCause::timer, PurgeCause::person}) {
      const PurgePlan plan = plan_purge(values, cause, due, false);
      EXPECT_LE(plan.take, 100u);
      EXPECT_LE(plan.take, due);
      EXPECT_EQ(plan.confirmation_needed, cause == PurgeCause::person && due > 100);
      EXPECT_EQ(plan_purge(values, PurgeCause::person, due, true).take, due);
    }
}

}  // namespace
}  // namespace quell
