// Seconds of a clock that only goes on.
#pragma once

#include <chrono>

namespace quell::bench {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - from_).count();
  }
  double ms() const { return seconds() * 1e3; }

 private:
  std::chrono::steady_clock::time_point from_ = std::chrono::steady_clock::now();
};

}  // namespace quell::bench
