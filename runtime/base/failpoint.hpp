// Faults on demand, for crash runs against the real binary: QUELL_FAILPOINTS names a place and what
// happens there, as in `erase.within=crash@2,mark.after=error`. While none is armed a place costs a
// relaxed load; what is packaged (QUELL_NO_FAILPOINTS) has no such places and refuses to arm one.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace quell {

enum class Failpoint : std::uint8_t {
#define QUELL_DURABLE_ACT(name, sentence) name##_before, name##_within, name##_after,
#define QUELL_FAILPOINT(name, wire, can_fail, meaning) name,
#define QUELL_CONTROL(name, who) control_##name,
#include "runtime/spec/failpoints.def"
#undef QUELL_DURABLE_ACT
#undef QUELL_FAILPOINT
#undef QUELL_CONTROL
};

struct FailpointInfo {
  std::string_view name;  // as it is written in the variable
  bool can_fail = true;   // false: here nothing can behave as if it had failed
  bool can_throw = false;
};
const std::vector<FailpointInfo>& failpoint_infos();  // by Failpoint

// Arms what the text names, forgetting what was armed before; "" disarms all. To be called before
// there are threads. Each part is NAME=ACTION with ACTION one of crash (SIGKILL to this process),
// error, throw, delay or delay:MILLISECONDS, and @N behind it for the N-th visit only (else every
// one).
Result<void> arm_failpoints(std::string_view text);

namespace failpoints {
extern std::atomic<bool> armed;
bool visit(Failpoint point);
}  // namespace failpoints

// True: behave as if what stands here had failed. Says on stderr that it struck, so that a crash
// run can tell a fault that was survived from one that never came.
#ifdef QUELL_NO_FAILPOINTS
constexpr bool fails_here(Failpoint) {
  return false;
}
#else
inline bool fails_here(Failpoint point) {
  return failpoints::armed.load(std::memory_order_relaxed) && failpoints::visit(point);
}
#endif

// Runs an event loop until it is stopped, and visits `point` at each of its events.
template <class Loop>
void run_loop(Loop& loop, Failpoint point) {
  if (!failpoints::armed.load(std::memory_order_relaxed)) {
    loop.run();
    return;
  }
  while (loop.run_one() > 0) static_cast<void>(fails_here(point));
}

}  // namespace quell
