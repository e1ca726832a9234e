// What the Foreman answers when it is told that a job is marked, or that a run must end: one table,
// no actor decides it.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/law/delete_protocol.hpp"

namespace quell {

// Where a run is, as its node knows it.
enum class RunPhase : std::uint8_t {
  unknown,  // no such run here
  claimed,  // the claim was committed, the run has not begun
  running,
  stopping,  // cancel, timeout or drain are ending it already
  ended,     // down; its finish is on the way to the store
  unbegun,   // its claim is on the way back to the store; nothing of it ever ran
  stuck      // did not end within its deadline
};

enum class StopCause : std::uint8_t { deleted, cancelled, timeout, drain };

struct StopAnswer {
  std::optional<Verdict> verdict = {};  // said at once; `stuck` means pending
  bool send_stop = false;               // the verdict follows when the run is down
  bool drop_start = false;
  bool operator==(const StopAnswer&) const = default;
};

// A marked job.
StopAnswer answer_to_mark(RunPhase phase);
// A delete wins over every weaker cause; a cancel over a timeout; a timeout over a drain.
StopCause stronger(StopCause a, StopCause b);
// What was proven once a stopped run is down.
Verdict verdict_when_down(bool ended_by_itself, bool had_processes);

}  // namespace quell
