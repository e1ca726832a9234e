// A batch's durable acts as failpoints: before its transaction, within it, and after its commit.
#pragma once

#include "runtime/base/failpoint.hpp"
#include "storage/batch.hpp"

namespace quell::storage {

enum class Moment : std::uint8_t { before, within, after };

void fail_acts(const Batch& batch, Moment moment);

// Throws the Fault of a store that cannot be reached: within the transaction that is a rollback,
// after it a commit whose answer was lost.
inline void fail_here(const Batch& batch, Moment moment) {
  if (failpoints::armed.load(std::memory_order_relaxed)) fail_acts(batch, moment);
}

}  // namespace quell::storage
