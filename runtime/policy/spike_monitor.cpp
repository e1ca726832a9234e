#include "runtime/policy/spike_monitor.hpp"

#include <algorithm>
#include <array>

#include "runtime/settings/settings.hpp"

namespace quell {

namespace {
constexpr Millis window{60'000};
constexpr std::uint64_t share_least = 10;  // fewer are no spike, however few there are
}  // namespace

SpikeRules SpikeRules::of(const SettingValues& values) {
  return {static_cast<std::uint64_t>(values.spike_calls),
          static_cast<std::uint64_t>(values.spike_jobs),
          static_cast<std::uint64_t>(values.spike_share)};
}

std::string_view to_string(SpikeCause cause) {
  constexpr std::array<std::string_view, 3> names{"calls", "bulk", "share"};
  return names.at(static_cast<std::size_t>(cause));
}

SpikeVerdict SpikeMonitor::observe(Millis now, std::uint64_t jobs, std::uint64_t live) {
  forget(now);
  calls_.push_back(now);
  const bool was_above = above_;
  above_ = calls_.size() > rules_.calls_per_minute;
  while (calls_.size() > rules_.calls_per_minute + 1) calls_.pop_front();
  // A large bulk is a crossing of its own, each time; it is the more telling alert when both lines
  // are crossed at once.
  if (jobs > rules_.bulk_size) return {true, SpikeAlert{SpikeCause::bulk, jobs, rules_.bulk_size}};
  const std::uint64_t share = live * rules_.live_percent / 100;
  if (live > 0 && rules_.live_percent > 0 && jobs >= share_least && jobs > share)
    return {true, SpikeAlert{SpikeCause::share, jobs, share}};
  if (above_ && !was_above)
    return {true, SpikeAlert{SpikeCause::calls, calls_.size(), rules_.calls_per_minute}};
  return {above_, std::nullopt};
}

std::size_t spike_calls_needed(const SpikeRules& rules) {
  return 2 * (static_cast<std::size_t>(rules.calls_per_minute) + 2);
}

std::vector<std::pair<std::size_t, SpikeAlert>> spikes_of(const SpikeRules& rules,
                                                          std::span<const SpikeCall> calls,
                                                          bool is_cut) {
  SpikeMonitor monitor(rules);
  std::vector<std::pair<std::size_t, SpikeAlert>> found;
  const std::size_t unknown = is_cut ? static_cast<std::size_t>(rules.calls_per_minute) + 1 : 0;
  Millis latest{0};
  for (std::size_t i = 0; i < calls.size(); ++i) {
    latest = std::max(latest, calls[i].at);  // the clocks of a fleet differ
    const SpikeVerdict verdict = monitor.observe(latest, calls[i].jobs, calls[i].live);
    if (!verdict.alert) continue;
    if (i < unknown && verdict.alert->cause == SpikeCause::calls) continue;
    found.emplace_back(i, *verdict.alert);
  }
  return found;
}

bool SpikeMonitor::above(Millis now) {
  forget(now);
  return above_;
}

void SpikeMonitor::forget(Millis now) {
  while (!calls_.empty() && now - calls_.front() >= window) calls_.pop_front();
  above_ = above_ && calls_.size() > rules_.calls_per_minute;
}

}  // namespace quell
