#include "runtime/policy/retention_policy.hpp"

#include <gtest/gtest.h>

#include "runtime/settings/settings.hpp"

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
  rules.result = day;
  for (const JobState state : every_state) {
    EXPECT_EQ(expires_at(rules, state, finished).has_value(), is_final(state)) << to_string(state);
    EXPECT_EQ(result_expires_at(rules, state, finished).has_value(), is_final(state))
        << to_string(state);
  }
}

TEST(RetentionPolicy, ZeroKeepsForEver) {
  const RetentionRules rules{0ms, 0ms, 0ms, 0ms};
  for (const JobState state : every_state) {
    EXPECT_FALSE(expires_at(rules, state, finished));
    EXPECT_FALSE(result_expires_at(rules, state, finished));
  }
}

TEST(RetentionPolicy, AResultNeverOutlivesItsJob) {
  for (std::int64_t record = 0; record <= 5; ++record)
    for (std::int64_t result = 0; result <= 5; ++result) {
      const RetentionRules rules{record * day, record * day, record * day, result * day};
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
}

TEST(RetentionPolicy, ARestoredJobLivesAtLeastADay) {
  EXPECT_EQ(restored_expiry(finished, finished + day, finished + 2 * day), finished + 3 * day);
  EXPECT_EQ(restored_expiry(finished + 1h, finished, finished + day), finished + 2 * day);
}

TEST(RetentionPolicy, AQueueMayHaveRulesOfItsOwn) {
  SettingValues values;
  values.archive = true;
  values.retention_queue = {"mail:succeeded=1", "mail:archive=0", "a:b:failed=2", "other:result=3"};
  const RetentionRules usual = RetentionRules::of(values);
  EXPECT_EQ(RetentionRules::of(values, "plain"), usual);
  const RetentionRules mail = RetentionRules::of(values, "mail");
  EXPECT_EQ(mail.succeeded, day);
  EXPECT_EQ(mail.archive, 0ms);
  EXPECT_EQ(mail.failed, usual.failed);
  EXPECT_EQ(RetentionRules::of(values, "a:b").failed, 2 * day) << "a queue's name may have a colon";
  EXPECT_EQ(RetentionRules::of(values, "other").result, 3 * day);
  EXPECT_EQ(rules_of_queues(values).size(), 3u);
  EXPECT_EQ(rules_of_queues(values).at("mail"), mail);
}

TEST(RetentionPolicy, ARuleThatCannotBeUnderstoodIsToldAtTheStart) {
  for (const char* text : {"", "mail", "mail:succeeded", "mail=1", ":succeeded=1", "mail:gone=1",
                           "mail:failed=-1", "mail:failed=x", "mail:failed=", "mail:failed=36501"})
    EXPECT_FALSE(parse_queue_rule(text).ok()) << text;
  SettingValues values;
  values.retention_queue = {"mail:gone=1"};
  EXPECT_EQ(faults(values).size(), 1u);
}

TEST(Purge, IsOffUntilSwitchedOn) {
  PurgeRules rules;
  EXPECT_EQ(plan_purge(rules, PurgeCause::timer, 1'000, false).take, 0u);
  EXPECT_EQ(plan_purge(rules, PurgeCause::timer, 1'000, true).take, 0u);
  rules.by_itself = true;
  EXPECT_EQ(plan_purge(rules, PurgeCause::timer, 1'000, false).take, 100u);
}

TEST(Purge, TakesNoMoreThanItsMaximumWithoutConfirmation) {
  const PurgeRules rules{.by_itself = true, .most = 100};
  for (const std::uint64_t due : {0u, 1u, 99u, 100u, 101u, 5'000u})
    for (const PurgeCause cause : {PurgeCause::timer, PurgeCause::person}) {
      const PurgePlan plan = plan_purge(rules, cause, due, false);
      EXPECT_LE(plan.take, 100u);
      EXPECT_LE(plan.take, due);
      EXPECT_EQ(plan.confirmation_needed, cause == PurgeCause::person && due > 100);
      EXPECT_EQ(plan_purge(rules, PurgeCause::person, due, true).take, due);
    }
}

}  // namespace
}  // namespace quell
