// The runtime's own figures: counted where things happen, read by /metrics without stopping anyone.
#pragma once

#include <atomic>
#include <cstdint>

namespace quell {

struct Figures {
  using Counter = std::atomic<std::uint64_t>;
  Counter submitted{0}, started{0}, succeeded{0}, failed{0}, retried{0}, cancelled{0};
  Counter deleted{0}, delete_unproven{0};
  Counter commits{0}, commit_microseconds{0}, batch_operations{0}, commit_failures{0};
  Counter clerk_queue{0};   // operations waiting now
  Counter effects_open{0};  // now
  Counter effects_started{0}, effects_aborted{0}, late_answers{0};
  Counter deliveries_done{0}, deliveries_failed{0}, deliveries_given_up{0}, deliveries_aborted{0};
  Counter runs{0}, runs_stuck{0};  // now
  Counter blocked_threads{0};      // scheduler threads held by one job for over a second, now
};

}  // namespace quell
