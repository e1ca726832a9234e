// Our own faults: asserted in release too. A broken invariant stops the process before it can lie
// in a receipt.
#pragma once

namespace quell {
[[noreturn]] void assertion_failed(const char* claim, const char* file, int line) noexcept;
}  // namespace quell

#define QUELL_ASSERT(claim) \
  ((claim) ? static_cast<void>(0) : ::quell::assertion_failed(#claim, __FILE__, __LINE__))
