// A script gone wild deletes faster than anybody reads a log: say so once when it begins, not once
// a job.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/clock.hpp"

namespace quell {

struct SettingValues;

struct SpikeRules {
  std::uint64_t calls_per_minute = 5;  // more than so many delete calls in any minute are a spike
  std::uint64_t bulk_size = 500;       // so is one call for more jobs than this
  std::uint64_t live_percent = 0;      // or for more of the unfinished ones, if it has ten; 0: any

  static SpikeRules of(const SettingValues& values);
};

enum class SpikeCause : std::uint8_t { calls, bulk, share };
std::string_view to_string(SpikeCause cause);

struct SpikeAlert {
  SpikeCause cause = SpikeCause::calls;
  std::uint64_t count = 0;  // calls in the minute, or jobs of the call
  std::uint64_t limit = 0;
};

struct SpikeVerdict {
  bool above = false;  // this call is part of a spike: it is held, if holding is on
  std::optional<SpikeAlert> alert = std::nullopt;  // only on the call that crosses the line
};

// Dry runs and retention are not shown to it. Every call counts as one, a bulk call too: small
// bulks in a row are a spike as well.
class SpikeMonitor {
 public:
  explicit SpikeMonitor(SpikeRules rules) : rules_(rules) {}

  // `now` is monotonic and never falls.
  // `live`: how many unfinished jobs there were; 0: not known.
  SpikeVerdict observe(Millis now, std::uint64_t jobs, std::uint64_t live = 0);
  bool above(Millis now);
  void set_rules(SpikeRules rules) { rules_ = rules; }

 private:
  void forget(Millis now);

  SpikeRules rules_;
  std::deque<Millis>
      calls_;  // the latest calls_per_minute + 1 at most: more are not needed to know
  bool above_ = false;
};

// A delete call as the store lists it, of whatever node.
struct SpikeCall {
  Millis at{0};
  std::uint64_t jobs = 1, live = 0;
};

// The newest calls that have to be looked at to judge the newest one as if all had been seen.
std::size_t spike_calls_needed(const SpikeRules& rules);

// Which of these calls, oldest first, crossed a line. `is_cut`: there were earlier ones, so of the
// first it cannot be told.
std::vector<std::pair<std::size_t, SpikeAlert>> spikes_of(const SpikeRules& rules,
                                                          std::span<const SpikeCall> calls,
                                                          bool is_cut);

}  // namespace quell
