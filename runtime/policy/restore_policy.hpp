// In which state a deleted job comes back. Somebody wanted the record, not the work: what ran
// before does not run again unless it is said so.
#pragma once

#include <optional>

#include "runtime/base/clock.hpp"
#include "runtime/law/job_machine.hpp"

namespace quell {

// `was`: when it was deleted, waiting, running or final. `due`: of a scheduled one; a time that has
// passed meanwhile makes it queued.
JobState restored_state(JobState was, std::optional<Instant> due, Instant now, bool rerun);

}  // namespace quell
