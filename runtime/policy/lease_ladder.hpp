// How a node gives up by itself. A node that cannot renew its lease must be down before the others
// may call it dead, so it climbs down by its own clock, counted from the start of its last
// successful renewal: the store took that one no earlier.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/settings/setting_types.hpp"

namespace quell {

struct LeaseTimes {
  Millis beat = setting_default::beat;    // between two renewals
  Millis lease = setting_default::lease;  // others call the node dead after so long
  Millis self_stop =
      setting_default::self_stop;  // nothing starts after so long, and what runs is stopped
  Millis stop_deadline = setting_default::stop_deadline;  // a stopped run has so long to end
};

enum class Rung : std::uint8_t {
  working,
  stopping,  // nothing starts, what runs is being stopped and handed over
  leaving    // a run that is not down by now ends with its process
};

// Counted as the rungs are: by then nothing of the node acts any more.
Millis down_after(const LeaseTimes& times);
// What is wrong with the times, as one sentence; "" when they fit together.
std::string_view fault_of(const LeaseTimes& times);

Rung rung(const LeaseTimes& times, Millis since_renewal);
// When the next rung begins, counted as above; never: a node that is leaving stays so.
Millis next_rung(const LeaseTimes& times, Millis since_renewal);

}  // namespace quell
