#include "runtime/policy/stop_policy.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace quell {

StopAnswer answer_to_mark(RunPhase phase) {
  switch (phase) {
    case RunPhase::unknown:
      return {.verdict = Verdict::not_running};
    case RunPhase::claimed:
      return {.verdict = Verdict::not_started, .drop_start = true};
    case RunPhase::running:
      return {.send_stop = true};
    case RunPhase::stopping:
      return {.send_stop = true};  // no more grace: a delete is at once
    case RunPhase::ended:
      return {.verdict = Verdict::finished_first};
    case RunPhase::unbegun:
      return {.verdict = Verdict::not_started};
    case RunPhase::stuck:
      return {.verdict = Verdict::stuck};
  }
  QUELL_ASSERT(!"every phase has its answer");
  return {};
}

StopCause stronger(StopCause a, StopCause b) {
  return std::min(a, b);
}

Verdict verdict_when_down(bool ended_by_itself, bool had_processes) {
  if (ended_by_itself) return Verdict::finished_first;
  return had_processes ? Verdict::reaped : Verdict::stopped;
}

}  // namespace quell
