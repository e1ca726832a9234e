// One message to one receiver, before it is written.
#pragma once

#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"

namespace quell::storage {

struct NewDelivery {
  Uuid id;
  std::string endpoint;  // id of the registered endpoint; "" is the job's own URL
  std::string event, body;
  Instant due;
};

}  // namespace quell::storage
