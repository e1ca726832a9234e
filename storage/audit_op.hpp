// A row of the audit. Included by batch.hpp, whose word this is.
#pragma once

#include <string>

#include "runtime/base/clock.hpp"

namespace quell::storage {

// In a batch of its own it is written whatever the others do; as `audit` of an op only when that op
// did what it says.
struct AuditOp {
  Instant at;
  std::string who, what, ref, detail;  // detail: JSON
};

}  // namespace quell::storage
