#include "runtime/spike_monitor.hpp"

namespace quell {

namespace {
constexpr Millis window{60'000};
}

SpikeVerdict SpikeMonitor::observe(Millis now, std::uint64_t jobs) {
  forget(now);
  calls_.push_back(now);
  const bool was_above = above_;
  above_ = calls_.size() > rules_.calls_per_minute;
  while (calls_.size() > rules_.calls_per_minute + 1) calls_.pop_front();
  // A large bulk is a crossing of its own, each time; it is the more telling alert when both lines
  // are crossed at once.
  if (jobs > rules_.bulk_size) return {true, SpikeAlert{SpikeCause::bulk, jobs, rules_.bulk_size}};
  if (above_ && !was_above)
    return {true, SpikeAlert{SpikeCause::calls, calls_.size(), rules_.calls_per_minute}};
  return {above_, std::nullopt};
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
