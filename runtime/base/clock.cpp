#include "runtime/base/clock.hpp"

#include <atomic>
#include <cstdint>
#include <ctime>

#include "runtime/base/wall_clock.hpp"

namespace quell {

namespace {
std::atomic<std::int64_t> stopped_at{0};  // 0: it goes

class SystemClock final : public Clock {
 public:
  Instant now() const override {
    if (const std::int64_t at = stopped_at; at != 0) return Instant{Millis{at}};
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  }
  Millis monotonic() const override {
    timespec at{};
    clock_gettime(CLOCK_BOOTTIME, &at);
    return Millis{at.tv_sec * 1000 + at.tv_nsec / 1'000'000};
  }
};
}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

void stop_wall_clock(Instant at) {
  stopped_at = at.time_since_epoch().count();
}

}  // namespace quell
