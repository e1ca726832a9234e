// Nobody should be surprised by a job that is gone: how long each record and its result are kept,
// known when the job ends and shown with it; and how much one purge may take.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/clock.hpp"
#include "runtime/job_machine.hpp"
#include "runtime/settings.hpp"

namespace quell {

struct RetentionRules {
  std::int64_t succeeded_days = 7;  // 0 keeps for ever
  std::int64_t failed_days = 30;
  std::int64_t cancelled_days = 3;
  std::int64_t result_days = 0;  // 0 keeps it with its job

  static RetentionRules of(const SettingValues& values);
};

// When the record goes; nothing for a job that is not final, whatever its age, and for one that is
// kept for ever.
std::optional<Instant> expires_at(const RetentionRules& rules, JobState state, Instant finished);

// When the result goes: never after its record.
std::optional<Instant> result_expires_at(const RetentionRules& rules, JobState state,
                                         Instant finished);

// A restored job lives as long as it still had to live when it was deleted.
std::optional<Instant> restored_expiry(std::optional<Instant> expires, Instant deleted,
                                       Instant restored);

struct PurgePlan {
  std::uint64_t take = 0;
  bool confirmation_needed = false;  // more are due than one run takes on its own
};

enum class PurgeCause : std::uint8_t { timer, person };

// `due` jobs have expired. A timer's run takes nothing while the purge is off; without confirmation
// no run takes more than purge_max.
PurgePlan plan_purge(const SettingValues& values, PurgeCause cause, std::uint64_t due,
                     bool confirmed);

}  // namespace quell
