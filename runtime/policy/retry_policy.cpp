#include "runtime/policy/retry_policy.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/base/assert.hpp"

namespace quell {

namespace {

NextStep retry_or_exhaust(const RetryRules& rules, const EndedAttempt& ended, Instant now,
                          double random) {
  if (ended.attempt >= rules.max_attempts) return {JobEvent::exhaust, {}, "attempts_used_up"};
  // A peer that asks for more time than the backoff gets it; one that asks for less does not hurry
  // us.
  const Millis wait =
      std::max(backoff(rules, ended.attempt, random), ended.retry_after.value_or(Millis{0}));
  // No instant may overflow, whatever a peer writes into Retry-After.
  const Millis bounded = std::min(wait, Millis{std::chrono::hours{24 * 366}});
  if (ended.deadline && now + bounded >= *ended.deadline)
    return {JobEvent::exhaust, {}, "deadline_passed"};
  return {JobEvent::retry, now + bounded, {}};
}

}  // namespace

std::string_view to_string(AttemptOutcome outcome) {
  switch (outcome) {
    case AttemptOutcome::succeeded:
      return "succeeded";
    case AttemptOutcome::error:
      return "error";
    case AttemptOutcome::refused:
      return "refused";
    case AttemptOutcome::timeout:
      return "timeout";
    case AttemptOutcome::stopped:
      return "stopped";
    case AttemptOutcome::handed_over:
      return "handed_over";
    case AttemptOutcome::lost:
      return "lost";
  }
  QUELL_ASSERT(!"an outcome outside the list");
  return {};
}

Millis backoff(const RetryRules& rules, std::int64_t attempt, double random) {
  QUELL_ASSERT(attempt >= 1);
  QUELL_ASSERT(random >= 0.0 && random < 1.0);
  const auto first = static_cast<double>(rules.backoff_first.count());
  const auto cap = static_cast<double>(rules.backoff_max.count());
  // pow may reach infinity; min brings it back.
  const double plain =
      std::min(cap, first * std::pow(rules.backoff_factor, static_cast<double>(attempt - 1)));
  return Millis{std::llround(plain * (1.0 - rules.jitter * random))};
}

NextStep after_attempt(const RetryRules& rules, const EndedAttempt& ended, Instant now,
                       double random) {
  const bool too_late = ended.deadline && now >= *ended.deadline;
  switch (ended.outcome) {
    case AttemptOutcome::succeeded:
      return {JobEvent::succeed, {}, {}};
    case AttemptOutcome::stopped:
      return {JobEvent::stopped, {}, {}};
    case AttemptOutcome::handed_over:
      return {JobEvent::hand_over, {}, {}};
    case AttemptOutcome::refused:
      return {JobEvent::exhaust, {}, "not_retryable"};
    case AttemptOutcome::lost:
      if (ended.lost + 1 >= rules.max_lost) return {JobEvent::give_up, {}, "lost_too_often"};
      if (too_late) return {JobEvent::give_up, {}, "deadline_passed"};
      return {JobEvent::lose, {}, {}};
    case AttemptOutcome::error:
    case AttemptOutcome::timeout:
      if (too_late) return {JobEvent::exhaust, {}, "deadline_passed"};
      return retry_or_exhaust(rules, ended, now, random);
  }
  QUELL_ASSERT(!"an outcome outside the list");
  return {};
}

}  // namespace quell
