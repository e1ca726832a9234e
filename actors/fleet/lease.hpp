// Whether this node may still begin anything, as anyone may ask from any thread: the Registrar
// writes it, the Clerk before a claim, the Foreman before a start and each effect before its first
// act read it. Time is what decides, not a message that may be late.
#pragma once

#include <atomic>
#include <limits>

#include "runtime/base/clock.hpp"

namespace quell {

class Lease {
 public:
  explicit Lease(const Clock& clock) : clock_(clock) {}

  bool holds() const {
    const Millis::rep until = until_.load(std::memory_order_acquire);
    return until == for_ever || clock_.monotonic().count() < until;
  }
  void extend_until(Millis until) { until_.store(until.count(), std::memory_order_release); }
  void end() { until_.store(0, std::memory_order_release); }

 private:
  // A store that only this node writes to has nobody who could take its jobs.
  static constexpr Millis::rep for_ever = std::numeric_limits<Millis::rep>::max();
  const Clock& clock_;
  std::atomic<Millis::rep> until_{for_ever};
};

}  // namespace quell
