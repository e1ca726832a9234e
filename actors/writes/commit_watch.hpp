// How long the oldest commit on its way has waited: a standby that is away holds it for as long as
// it is away, and whoever looks shall see that from outside.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

#include "runtime/base/clock.hpp"

namespace quell {

class CommitWatch {
 public:
  static constexpr std::size_t most_hands = 8;

  void begun(std::size_t writer) { since_.at(writer) = now(); }
  void over(std::size_t writer) { since_.at(writer) = 0; }
  Millis oldest() const {
    std::int64_t oldest = 0;
    for (const auto& one : since_)
      if (const std::int64_t since = one; since != 0) oldest = std::max(oldest, now() - since);
    return Millis{oldest};
  }

 private:
  static std::int64_t now() {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  std::array<std::atomic<std::int64_t>, most_hands> since_{};
};

}  // namespace quell
