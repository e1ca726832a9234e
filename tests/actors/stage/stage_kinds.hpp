// The kinds of the stage: what they wait for ends when the test says so.
#pragma once

#include "runtime/task/task.hpp"

namespace quell {

// `one` and `two` wait once or twice and succeed; `fails` waits and throws; `steps` remembers a
// result between two waits; `race` leaves an effect in flight when it returns.
Registry stage_kinds();

}  // namespace quell
