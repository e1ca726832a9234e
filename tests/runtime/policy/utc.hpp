// A moment named by its date and time, for tests that read better so.
#pragma once

#include <chrono>

#include "runtime/base/clock.hpp"

namespace quell::test {

inline Instant utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0,
                   int second = 0) {
  namespace chr = std::chrono;
  return chr::sys_days{chr::year{year} / chr::month{month} / chr::day{day}} + chr::hours{hour} +
         chr::minutes{minute} + chr::seconds{second};
}

}  // namespace quell::test
