// When what ends now goes, for whoever does not know the queue of the job: by the usual rules and
// those of single queues.
#pragma once

#include "runtime/policy/retention_policy.hpp"
#include "storage/batch.hpp"

namespace quell {

inline storage::UntilByQueue kept_until(const SettingValues& settings, JobState state,
                                        Instant now) {
  return until_by_queue<storage::UntilByQueue>(settings, [state, now](const RetentionRules& rules) {
    return expires_at(rules, state, now);
  });
}

// … and until when a copy of it is kept.
inline storage::UntilByQueue copies_kept_until(const SettingValues& settings, Instant now) {
  return until_by_queue<storage::UntilByQueue>(settings, [now](const RetentionRules& rules) {
    return rules.archive > Millis{0} ? std::optional(now + rules.archive) : std::nullopt;
  });
}

}  // namespace quell
