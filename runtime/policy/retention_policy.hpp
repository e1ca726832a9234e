// Nobody should be surprised by a job that is gone: how long each record and its result are kept,
// known when the job ends and shown with it; and how much one purge may take.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"
#include "runtime/law/job_machine.hpp"
#include "runtime/settings/setting_types.hpp"

namespace quell {

struct SettingValues;

// 0 keeps for ever.
struct RetentionRules {
  Millis succeeded = setting_default::retention_succeeded;
  Millis failed = setting_default::retention_failed;
  Millis cancelled = setting_default::retention_cancelled;
  Millis result{0};   // 0 keeps it with its job
  Millis archive{0};  // of the copy that a delete leaves; 0 leaves none

  // What holds for a queue that has no rules of its own, or for this one.
  static RetentionRules of(const SettingValues& values);
  static RetentionRules of(const SettingValues& values, std::string_view queue);
  bool operator==(const RetentionRules&) const = default;
};

// One line of the setting retention_queue: QUEUE:WHAT=DAYS.
struct QueueRule {
  std::string queue;
  Millis RetentionRules::*what = nullptr;
  Millis kept{0};
};
Result<QueueRule> parse_queue_rule(std::string_view text);
// The queues that have rules of their own, with all that holds for each.
std::map<std::string, RetentionRules> rules_of_queues(const SettingValues& values);

// A time by rules, for whoever does not know the queue yet (storage's UntilByQueue).
template <class Until, class Of>
Until until_by_queue(const SettingValues& values, Of&& of) {
  Until until(of(RetentionRules::of(values)));
  for (const auto& [queue, rules] : rules_of_queues(values)) until.set(queue, of(rules));
  return until;
}

// When the record goes; nothing for a job that is not final, whatever its age, and for one that is
// kept for ever.
std::optional<Instant> expires_at(const RetentionRules& rules, JobState state, Instant finished);

// When the result goes: never after its record.
std::optional<Instant> result_expires_at(const RetentionRules& rules, JobState state,
                                         Instant finished);

// Whoever brings a job back has so long to look at it.
inline constexpr Millis restored_life{std::chrono::hours{24}};
// A restored job lives as long as it still had to live when it was deleted, and at least a day.
std::optional<Instant> restored_expiry(std::optional<Instant> expires, Instant deleted,
                                       Instant restored);

struct PurgeRules {
  bool by_itself = false;    // or only when a person asks
  std::uint64_t most = 100;  // jobs of one run without confirmation
};

struct PurgePlan {
  std::uint64_t take = 0;
  bool confirmation_needed = false;  // more are due than one run takes on its own
};

enum class PurgeCause : std::uint8_t { timer, person };

// `due` jobs have expired. A timer's run takes nothing while the purge is off; without confirmation
// no run takes more than the most.
PurgePlan plan_purge(const PurgeRules& rules, PurgeCause cause, std::uint64_t due, bool confirmed);

}  // namespace quell
