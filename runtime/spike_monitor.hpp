// A script gone wild deletes faster than anybody reads a log: say so once when it begins, not once
// a job.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "runtime/clock.hpp"

namespace quell {

struct SpikeRules {
  std::uint64_t calls_per_minute = 5;  // more than so many delete calls in any minute are a spike
  std::uint64_t bulk_size = 500;       // so is one call for more jobs than this
};

enum class SpikeCause : std::uint8_t { calls, bulk };

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
  SpikeVerdict observe(Millis now, std::uint64_t jobs);
  bool above(Millis now);
  void set_rules(SpikeRules rules) { rules_ = rules; }

 private:
  void forget(Millis now);

  SpikeRules rules_;
  std::deque<Millis>
      calls_;  // the latest calls_per_minute + 1 at most: more are not needed to know
  bool above_ = false;
};

}  // namespace quell
