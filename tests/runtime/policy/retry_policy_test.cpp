#include "runtime/policy/retry_policy.hpp"

#include <gtest/gtest.h>

#include "tests/runtime/base/dice.hpp"

namespace quell {
namespace {

const Instant now{Millis{1'800'000'000'000}};

RetryRules three_attempts() {
  RetryRules rules;
  rules.max_attempts = 3;
  return rules;
}

EndedAttempt ended(AttemptOutcome outcome, std::int64_t attempt = 1) {
  EndedAttempt end;
  end.outcome = outcome;
  end.attempt = attempt;
  return end;
}

TEST(RetryPolicy, EachOutcomeLeadsWhereTheLawAllows) {
  for (int raw = 0; raw <= static_cast<int>(AttemptOutcome::lost); ++raw)
    for (std::int64_t attempt = 1; attempt <= 4; ++attempt)
      for (std::int64_t lost = 0; lost <= 4; ++lost)
        for (const int deadline : {-1, 0, 1, 1'000'000}) {
          EndedAttempt end = ended(static_cast<AttemptOutcome>(raw), attempt);
          end.lost = lost;
          if (deadline >= 0) end.deadline = now + Millis{deadline};
          const NextStep next = after_attempt(three_attempts(), end, now, 0.5);
          EXPECT_TRUE(decide(JobState::running, next.event)) << to_string(next.event);
          EXPECT_EQ(next.reason.empty(),
                    next.event != JobEvent::exhaust && next.event != JobEvent::give_up);
          EXPECT_EQ(next.due > now, next.event == JobEvent::retry);
          EXPECT_FALSE(to_string(end.outcome).empty());
        }
}

TEST(RetryPolicy, AnErrorIsRetriedUntilTheAttemptsAreUsedUp) {
  for (const auto outcome : {AttemptOutcome::error, AttemptOutcome::timeout}) {
    EXPECT_EQ(after_attempt(three_attempts(), ended(outcome, 1), now, 0).event, JobEvent::retry);
    EXPECT_EQ(after_attempt(three_attempts(), ended(outcome, 2), now, 0).event, JobEvent::retry);
    const NextStep last = after_attempt(three_attempts(), ended(outcome, 3), now, 0);
    EXPECT_EQ(last.event, JobEvent::exhaust);
    EXPECT_EQ(last.reason, "attempts_used_up");
  }
}

TEST(RetryPolicy, WhatAnotherAttemptCannotHelpIsNotRetried) {
  const NextStep next = after_attempt(three_attempts(), ended(AttemptOutcome::refused), now, 0);
  EXPECT_EQ(next.event, JobEvent::exhaust);
  EXPECT_EQ(next.reason, "not_retryable");
}

TEST(RetryPolicy, LossesAreCountedApartFromAttempts) {
  EndedAttempt end = ended(AttemptOutcome::lost, 99);
  for (end.lost = 0; end.lost < 2; ++end.lost)
    EXPECT_EQ(after_attempt(three_attempts(), end, now, 0).event, JobEvent::lose);
  const NextStep third = after_attempt(three_attempts(), end, now, 0);
  EXPECT_EQ(third.event, JobEvent::give_up);
  EXPECT_EQ(third.reason, "lost_too_often");
}

TEST(RetryPolicy, AHandoverNeverEndsAJob) {
  EndedAttempt end = ended(AttemptOutcome::handed_over, 99);
  end.lost = 99;
  EXPECT_EQ(after_attempt(three_attempts(), end, now, 0).event, JobEvent::hand_over);
}

TEST(RetryPolicy, ARetryThatWouldStartAfterTheDeadlineIsNotMade) {
  EndedAttempt end = ended(AttemptOutcome::error);
  end.deadline = now + Millis{1'000};
  EXPECT_EQ(after_attempt(three_attempts(), end, now, 0).reason, "deadline_passed");
  end.deadline = now + Millis{1'001};
  EXPECT_EQ(after_attempt(three_attempts(), end, now, 0).event, JobEvent::retry);
}

TEST(RetryPolicy, ALostJobPastItsDeadlineIsGivenUp) {
  EndedAttempt end = ended(AttemptOutcome::lost);
  end.deadline = now;
  EXPECT_EQ(after_attempt(three_attempts(), end, now, 0).reason, "deadline_passed");
}

TEST(RetryPolicy, RetryAfterLengthensTheWaitAndNeverShortensIt) {
  EndedAttempt end = ended(AttemptOutcome::error);
  end.retry_after = Millis{30'000};
  EXPECT_EQ(after_attempt(three_attempts(), end, now, 0).due, now + Millis{30'000});
  end.retry_after = Millis{1};
  EXPECT_EQ(after_attempt(three_attempts(), end, now, 0).due, now + Millis{1'000});
  end.retry_after = Millis::max();  // a peer may write anything
  const NextStep next = after_attempt(three_attempts(), end, now, 0);
  EXPECT_EQ(next.event, JobEvent::retry);
  EXPECT_GT(next.due, now);
}

TEST(RetryPolicy, TheBackoffDoublesUpToItsCap) {
  RetryRules rules;
  rules.jitter = 0;
  EXPECT_EQ(backoff(rules, 1, 0), Millis{1'000});
  EXPECT_EQ(backoff(rules, 2, 0), Millis{2'000});
  EXPECT_EQ(backoff(rules, 5, 0), Millis{16'000});
  EXPECT_EQ(backoff(rules, 13, 0), Millis{3'600'000});
  EXPECT_EQ(backoff(rules, 100'000, 0), Millis{3'600'000});
}

TEST(RetryPolicy, JitterStaysWithinItsShareAndBelowTheCap) {
  RetryRules rules;
  Dice dice(3);
  Millis least = Millis::max(), most{0};
  for (int i = 0; i < 10'000; ++i) {
    const Millis wait = backoff(rules, 4, dice.unit());
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_GE(least, Millis{6'000});
  EXPECT_LE(most, Millis{8'000});
  EXPECT_LT(least, Millis{6'100});
  EXPECT_GT(most, Millis{7'900});
}

}  // namespace
}  // namespace quell
