// The wall time of this process, stopped: for pictures of a world that is always the same.
#pragma once

#include "runtime/base/clock.hpp"

namespace quell {

// From here on system_clock().now() is this moment. What counts by `monotonic` goes on.
void stop_wall_clock(Instant at);

}  // namespace quell
