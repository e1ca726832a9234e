#include "actors/runs/run_end.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

struct Row {
  AttemptOutcome outcome;
  int attempt, max_attempts;
  JobEvent event;
  bool has_record;
  JobState kept_as;  // whose time its record has, should it be final
};

TEST(RunEnd, FollowsTheTable) {
  using enum AttemptOutcome;
  const Row rows[] = {
      {succeeded, 1, 1, JobEvent::succeed, false, JobState::succeeded},
      {succeeded, 2, 3, JobEvent::succeed, true, JobState::succeeded},
      {error, 1, 1, JobEvent::exhaust, true, JobState::failed},
      {error, 1, 3, JobEvent::retry, true, JobState::cancelled},
      {error, 3, 3, JobEvent::exhaust, true, JobState::failed},
      {refused, 1, 3, JobEvent::exhaust, true, JobState::failed},
      {timeout, 1, 1, JobEvent::exhaust, true, JobState::failed},
      {timeout, 1, 2, JobEvent::retry, true, JobState::cancelled},
      {stopped, 1, 3, JobEvent::stopped, true, JobState::cancelled},
      {handed_over, 1, 3, JobEvent::hand_over, false, JobState::cancelled},
      {handed_over, 3, 3, JobEvent::hand_over, false, JobState::cancelled},
  };
  const NodeSettings settings;
  for (const Row& row : rows) {
    JobOptions options;
    options.max_attempts = row.max_attempts;
    quell::Run run;
    run.key.epoch = 7;
    run.attempt = row.attempt;
    run.options = to_json(options);
    RunEnded end;
    end.outcome = row.outcome;
    end.result = "r";
    const auto op = finish_of(run, end, settings, {}, Instant{Millis{1'000'000}}, 0.5);
    SCOPED_TRACE(std::string(to_string(row.outcome)) + " attempt " + std::to_string(row.attempt) +
                 " of " + std::to_string(row.max_attempts));
    EXPECT_EQ(op.event, row.event);
    EXPECT_EQ(op.epoch, 7);
    EXPECT_EQ(op.attempt.has_value(), row.has_record);
    EXPECT_EQ(op.expires, expires_at(RetentionRules::of(settings), row.kept_as, op.now));
    EXPECT_EQ(op.due.has_value(), row.event == JobEvent::retry);
    EXPECT_EQ(op.result, "r");
  }
}

TEST(RunEnd, DoesNotRetryPastTheDeadline) {
  JobOptions options;
  options.max_attempts = 9;
  options.deadline = Instant{Millis{1'000}};
  quell::Run run;
  run.options = to_json(options);
  RunEnded end;
  end.outcome = AttemptOutcome::error;
  EXPECT_EQ(finish_of(run, end, {}, {}, Instant{Millis{2'000}}, 0.5).event, JobEvent::exhaust);
}

TEST(RunEnd, CallsARunThatDiedWithoutAWordAFailedAttempt) {
  quell::Run run;
  run.key.epoch = 3;
  const RunEnded end = crashed(run);
  EXPECT_EQ(end.outcome, AttemptOutcome::error);
  EXPECT_EQ(end.epoch, 3);
  EXPECT_NE(end.error.find("internal"), std::string::npos);
}

}  // namespace
}  // namespace quell
