#include "runtime/policy/anomaly.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "runtime/policy/schedule.hpp"
#include "runtime/settings/settings.hpp"

namespace quell {

namespace {

constexpr std::int64_t mega = 1'000'000;
// Shares of fewer say nothing.
constexpr std::int64_t drop_least = 100, moves_least = 20;

enum class Manner : std::uint8_t { level, event };

struct RuleRow {
  std::string_view name;
  Manner manner;
  std::string_view what, advice;
};
constexpr std::array rule_rows{
#define ANOMALY_RULE(name, member, manner, what, advice) \
  RuleRow{#name, Manner::manner, what, advice},
#include "runtime/spec/anomaly_rules.def"
#undef ANOMALY_RULE
};

const RuleRow& row_of(AnomalyRule rule) {
  return rule_rows.at(static_cast<std::size_t>(rule));
}

std::int64_t figure(int value) {
  return value;
}
std::int64_t figure(Millis value) {
  return std::chrono::duration_cast<std::chrono::seconds>(value).count();
}

struct Finding {
  std::int64_t value = 0;
  std::string subject = {};
};

std::int64_t percent(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? part * 100 / whole : 0;
}

std::span<const StoreSnapshot> last_hour(std::span<const StoreSnapshot> before, Instant now) {
  while (!before.empty() && now - before.front().at > anomaly_window) before = before.subspan(1);
  return before;
}

Finding vanished(const StoreSnapshot& now) {
  Finding found;
  for (const LostRows& lost : now.changes.lost) {
    found.value += lost.rows;
    if (found.subject.size() > 400) continue;  // the rest is in the snapshot
    if (!found.subject.empty()) found.subject += ", ";
    found.subject += lost.from.text() + " to " + lost.to.text();
  }
  return found;
}

Finding dropped(std::span<const StoreSnapshot> before, const StoreSnapshot& now) {
  std::int64_t most = 0;
  for (const StoreSnapshot& one : before) most = std::max(most, one.jobs());
  if (most < drop_least) return {};
  return {percent(std::max<std::int64_t>(most - now.jobs(), 0), most)};
}

Finding moved(std::span<const StoreSnapshot> before, const StoreSnapshot& now) {
  if (before.empty()) return {};
  std::map<JobState, std::int64_t> grown;
  for (const auto& count : now.counts) grown[count.state] += count.jobs;
  for (const auto& count : before.back().counts) grown[count.state] -= count.jobs;
  const auto more = [&](JobState state) { return std::max<std::int64_t>(grown[state], 0); };
  const std::int64_t bad = more(JobState::failed) + more(JobState::cancelled);
  const std::int64_t ended = bad + more(JobState::succeeded);
  if (ended < moves_least) return {};
  return {percent(bad, ended)};
}

Finding grown(std::span<const StoreSnapshot> before, const StoreSnapshot& now) {
  if (before.empty()) return {};
  std::int64_t least = now.store_bytes;
  for (const StoreSnapshot& one : before) least = std::min(least, one.store_bytes);
  return {(now.store_bytes - least) / mega};
}

Finding look(AnomalyRule rule, std::span<const StoreSnapshot> before, const StoreSnapshot& now) {
  switch (rule) {
    case AnomalyRule::vanished:
      return vanished(now);
    case AnomalyRule::drop:
      return dropped(before, now);
    case AnomalyRule::moves:
      return moved(before, now);
    case AnomalyRule::off_hours:
      return {now.deleted_off_hours, now.deleted_by};
    case AnomalyRule::growth:
      return grown(before, now);
    case AnomalyRule::memory:
      return {now.memory_bytes / mega, now.node};
    case AnomalyRule::waiting:
      return now.waiting ? Finding{now.waiting->seconds, now.waiting->queue} : Finding{};
    case AnomalyRule::dead_rows:
      return now.dead ? Finding{now.dead->rows, now.dead->table} : Finding{};
    case AnomalyRule::held: {
      if (!now.held) return {};
      const std::string& name = now.held->application;
      const std::string whose = name.empty() ? "(no name)" : name;
      if (now.held->pid == 0) return {now.held->seconds, whose};
      return {now.held->seconds, "process " + std::to_string(now.held->pid) + ", " + whose};
    }
  }
  return {};
}

void put(std::string& text, std::string_view mark, const std::string& value) {
  if (const auto at = text.find(mark); at != std::string::npos)
    text.replace(at, mark.size(), value);
}

bool is_clock(std::string_view text) {
  const auto digit = [&](std::size_t i, char most) { return text[i] >= '0' && text[i] <= most; };
  return text.size() == 5 && digit(0, '2') && digit(1, text[0] == '2' ? '4' : '9') &&
         text[2] == ':' && digit(3, '5') && digit(4, '9');
}

}  // namespace

std::string_view to_string(AnomalyRule rule) {
  return row_of(rule).name;
}

std::optional<AnomalyRule> anomaly_rule(std::string_view name) {
  for (std::size_t i = 0; i < rule_rows.size(); ++i)
    if (rule_rows[i].name == name) return static_cast<AnomalyRule>(i);
  return std::nullopt;
}

Result<WorkingHours> WorkingHours::make(std::string_view hours, std::string_view zone) {
  if (!is_time_zone(zone))
    return Error{ErrorCode::usage, "'" + std::string(zone) + "' is no time zone"};
  WorkingHours made;
  made.zone_ = zone;
  if (hours.empty()) return made;
  if (hours.size() != 11 || hours[5] != '-' || !is_clock(hours.substr(0, 5)) ||
      !is_clock(hours.substr(6)) || hours.substr(0, 5) >= hours.substr(6))
    return Error{ErrorCode::usage, "'" + std::string(hours) + "' is not HH:MM-HH:MM within a day"};
  made.from_ = hours.substr(0, 5);
  made.to_ = hours.substr(6);
  return made;
}

bool WorkingHours::has(Instant at) const {
  if (from_.empty()) return true;
  const std::string wall = wall_time_text(at, zone_);  // 2026-03-29T03:00:00+02:00
  const auto number = [&](std::size_t first, std::size_t size) {
    return static_cast<unsigned>(std::stoul(wall.substr(first, size)));
  };
  const std::chrono::sys_days day = std::chrono::year{static_cast<int>(number(0, 4))} /
                                    static_cast<int>(number(5, 2)) / static_cast<int>(number(8, 2));
  if (std::chrono::weekday{day}.iso_encoding() > 5) return false;
  const std::string clock = wall.substr(11, 5);
  return from_ <= clock && clock < to_;
}

AnomalyLimits AnomalyLimits::of(const SettingValues& values) {
  AnomalyLimits limits;
#define ANOMALY_RULE(name, member, manner, what, advice) \
  limits.from[static_cast<std::size_t>(AnomalyRule::name)] = figure(values.member);
#include "runtime/spec/anomaly_rules.def"
#undef ANOMALY_RULE
  return limits;
}

std::string sentence_of(const Anomaly& anomaly) {
  const RuleRow& row = row_of(anomaly.rule);
  std::string text(row.what);
  put(text, "{value}", std::to_string(anomaly.value));
  put(text, "{limit}", std::to_string(anomaly.limit));
  put(text, "{subject}", anomaly.subject);
  return text + ". " + std::string(row.advice);
}

Judgement judge(std::span<const StoreSnapshot> before, const StoreSnapshot& now,
                const AnomalyLimits& limits) {
  before = last_hour(before, now.at);
  Judgement judgement;
  for (std::size_t i = 0; i < anomaly_rule_count; ++i) {
    const auto rule = static_cast<AnomalyRule>(i);
    const RuleRow& row = row_of(rule);
    const std::int64_t limit = limits.from[i];
    if (limit <= 0) continue;
    const bool was_above = row.manner == Manner::level && !before.empty() &&
                           std::ranges::count(before.back().above, row.name) > 0;
    Finding found = look(rule, before, now);
    const bool is_above = was_above ? found.value * 10 > limit * 9 : found.value >= limit;
    if (!is_above) continue;
    judgement.above.emplace_back(row.name);
    if (was_above) continue;
    judgement.alerts.push_back({rule, static_cast<std::uint64_t>(found.value),
                                static_cast<std::uint64_t>(limit), std::move(found.subject)});
  }
  return judgement;
}

}  // namespace quell
