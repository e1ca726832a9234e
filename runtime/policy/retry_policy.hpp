// An attempt ended: does the job run again, when, and if not, why not? Decided once, here, from
// plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/law/job_machine.hpp"
#include "runtime/settings/setting_types.hpp"

namespace quell {

enum class AttemptOutcome : std::uint8_t {
  succeeded,
  error,        // the handler said it failed, or threw
  refused,      // the handler said that another attempt can't help
  timeout,      // the attempt's own time was up
  stopped,      // a cancel ended it
  handed_over,  // a drain ended it: no attempt is counted
  lost,         // the node that ran it is gone
};

std::string_view to_string(AttemptOutcome outcome);

struct RetryRules {
  std::int64_t max_attempts =
      setting_default::max_attempts;                  // attempts in all, the first one included
  std::int64_t max_lost = setting_default::max_lost;  // apart from max_attempts: a crash is rarely
                                                      // the fault of the job beside it
  Millis backoff_first = setting_default::backoff_first;
  Millis backoff_max = setting_default::backoff_max;
  double backoff_factor = 2.0;
  double jitter = 0.25;  // a wait is shortened by up to this share, so that the cap stays a cap and
                         // still spreads
};

struct EndedAttempt {
  AttemptOutcome outcome = AttemptOutcome::error;
  std::int64_t attempt = 1;                          // of the attempt that ended, from 1
  std::int64_t lost = 0;                             // how often the job was lost before this end
  std::optional<Instant> deadline = std::nullopt;    // of all attempts together
  std::optional<Millis> retry_after = std::nullopt;  // what the peer asked for (429, 503)
};

struct NextStep {
  JobEvent event =
      JobEvent::exhaust;  // succeed, retry, exhaust, stopped, hand_over, lose or give_up
  Instant due{};          // of a retry
  std::string_view reason =
      {};  // why it ended for good: attempts_used_up, deadline_passed, …; else empty
  bool operator==(const NextStep&) const = default;
};

// The wait behind the given attempt; `random` in [0, 1) places it within the jitter.
Millis backoff(const RetryRules& rules, std::int64_t attempt, double random);

NextStep after_attempt(const RetryRules& rules, const EndedAttempt& ended, Instant now,
                       double random);

}  // namespace quell
