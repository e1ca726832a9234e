// A clock that only the test turns.
#pragma once

#include "runtime/base/clock.hpp"

namespace quell::storage {

class ManualClock final : public Clock {
 public:
  Instant now() const override { return Instant{ms}; }
  Millis monotonic() const override { return ms; }
  Millis ms{1'800'000'000'000};
};

}  // namespace quell::storage
