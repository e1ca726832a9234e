#include "runtime/base/clock.hpp"

#include <ctime>

namespace quell {

namespace {
class SystemClock final : public Clock {
 public:
  Instant now() const override {
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

}  // namespace quell
