#include "runtime/retention_policy.hpp"

#include <algorithm>

namespace quell {

namespace {

std::optional<Instant> days_after(Instant at, std::int64_t days) {
  if (days <= 0) return std::nullopt;
  return at + std::chrono::hours{24 * days};
}

}  // namespace

RetentionRules RetentionRules::of(const SettingValues& values) {
  return {values.retention_succeeded_days, values.retention_failed_days,
          values.retention_cancelled_days, values.retention_result_days};
}

std::optional<Instant> expires_at(const RetentionRules& rules, JobState state, Instant finished) {
  if (state == JobState::succeeded) return days_after(finished, rules.succeeded_days);
  if (state == JobState::failed) return days_after(finished, rules.failed_days);
  if (state == JobState::cancelled) return days_after(finished, rules.cancelled_days);
  return std::nullopt;
}

std::optional<Instant> result_expires_at(const RetentionRules& rules, JobState state,
                                         Instant finished) {
  const auto record = expires_at(rules, state, finished);
  const auto result = is_final(state) ? days_after(finished, rules.result_days) : std::nullopt;
  if (!record) return result;
  if (!result) return record;
  return std::min(*record, *result);
}

std::optional<Instant> restored_expiry(std::optional<Instant> expires, Instant deleted,
                                       Instant restored) {
  if (!expires) return std::nullopt;
  return restored + std::max(*expires - deleted, Millis{0});
}

PurgePlan plan_purge(const SettingValues& values, PurgeCause cause, std::uint64_t due,
                     bool confirmed) {
  if (cause == PurgeCause::timer && !values.purge) return {};
  const auto most = static_cast<std::uint64_t>(values.purge_max);
  // A timer has nobody to ask: the rest waits for its next run.
  if (cause == PurgeCause::timer) return {std::min(due, most), false};
  if (confirmed) return {due, false};
  return {std::min(due, most), due > most};
}

}  // namespace quell
