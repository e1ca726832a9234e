// Time is a value handed in, never asked for in passing: tests turn the clock, the product reads
// the machine's.
#pragma once

#include <chrono>

namespace quell {

using Millis = std::chrono::milliseconds;
using Instant =
    std::chrono::time_point<std::chrono::system_clock, Millis>;  // UTC, as stored and shown

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;  // wall time: for people and records
  virtual Millis monotonic()
      const = 0;  // counts suspend (CLOCK_BOOTTIME): for leases and deadlines
};

Clock& system_clock();

}  // namespace quell
