#include "runtime/policy/retention_policy.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/settings/settings.hpp"

namespace quell {

namespace {

std::optional<Instant> after(Instant at, Millis kept) {
  if (kept <= Millis{0}) return std::nullopt;
  return at + kept;
}

}  // namespace

RetentionRules RetentionRules::of(const SettingValues& values) {
  return {values.retention_succeeded, values.retention_failed, values.retention_cancelled,
          values.retention_result, values.archive ? values.archive_keep : Millis{0}};
}

RetentionRules RetentionRules::of(const SettingValues& values, std::string_view queue) {
  RetentionRules rules = of(values);
  for (const std::string& text : values.retention_queue)
    if (const auto rule = parse_queue_rule(text); rule && rule->queue == queue)
      rules.*rule->what = rule->kept;
  return rules;
}

Result<QueueRule> parse_queue_rule(std::string_view text) {
  constexpr int most_days = 36'500;
  constexpr std::array<std::pair<std::string_view, Millis RetentionRules::*>, 5> names{
      {{"succeeded", &RetentionRules::succeeded},
       {"failed", &RetentionRules::failed},
       {"cancelled", &RetentionRules::cancelled},
       {"result", &RetentionRules::result},
       {"archive", &RetentionRules::archive}}};
  const Error wrong{ErrorCode::usage,
                    "'" + std::string(text) +
                        "' is not QUEUE:WHAT=DAYS with WHAT one of succeeded, failed, cancelled, "
                        "result, archive and DAYS from 0 to 36500"};
  const std::size_t equals = text.rfind('=');
  const std::size_t colon = text.substr(0, equals).rfind(':');
  if (equals == std::string_view::npos || colon == std::string_view::npos || colon == 0)
    return wrong;
  const std::string_view what = text.substr(colon + 1, equals - colon - 1);
  const std::string_view days = text.substr(equals + 1);
  int value = 0;
  const auto [end, fault] = std::from_chars(days.data(), days.data() + days.size(), value);
  const bool whole = fault == std::errc{} && end == days.data() + days.size();
  if (!whole || value < 0 || value > most_days) return wrong;
  for (const auto& [name, member] : names)
    if (name == what)
      return QueueRule{std::string(text.substr(0, colon)), member, setting_type::days::of(value)};
  return wrong;
}

std::map<std::string, RetentionRules> rules_of_queues(const SettingValues& values) {
  std::map<std::string, RetentionRules> all;
  for (const std::string& text : values.retention_queue)
    if (const auto rule = parse_queue_rule(text))
      all.emplace(rule->queue, RetentionRules::of(values, rule->queue));
  return all;
}

std::optional<Instant> expires_at(const RetentionRules& rules, JobState state, Instant finished) {
  if (state == JobState::succeeded) return after(finished, rules.succeeded);
  if (state == JobState::failed) return after(finished, rules.failed);
  if (state == JobState::cancelled) return after(finished, rules.cancelled);
  return std::nullopt;
}

std::optional<Instant> result_expires_at(const RetentionRules& rules, JobState state,
                                         Instant finished) {
  const auto record = expires_at(rules, state, finished);
  const auto result = is_final(state) ? after(finished, rules.result) : std::nullopt;
  if (!record) return result;
  if (!result) return record;
  return std::min(*record, *result);
}

std::optional<Instant> restored_expiry(std::optional<Instant> expires, Instant deleted,
                                       Instant restored) {
  if (!expires) return std::nullopt;
  return restored + std::max(*expires - deleted, restored_life);
}

PurgePlan plan_purge(const PurgeRules& rules, PurgeCause cause, std::uint64_t due, bool confirmed) {
  if (cause == PurgeCause::timer && !rules.by_itself) return {};
  const std::uint64_t most = rules.most;
  // A timer has nobody to ask: the rest waits for its next run.
  if (cause == PurgeCause::timer) return {std::min(due, most), false};
  if (confirmed) return {due, false};
  return {std::min(due, most), due > most};
}

}  // namespace quell
