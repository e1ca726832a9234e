#include "runtime/policy/restore_policy.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace quell {

JobState restored_state(JobState was, std::optional<Instant> due, Instant now, bool rerun) {
  QUELL_ASSERT(!is_leaving(was) && was != JobState::gone);
  JobState state = was;
  if (was == JobState::scheduled && (!due || *due <= now)) state = JobState::queued;
  if (was == JobState::running) state = rerun ? JobState::queued : JobState::cancelled;
  const auto born = births();
  QUELL_ASSERT(std::any_of(born.begin(), born.end(), [state](const Birth& birth) {
    return birth.event == JobEvent::restore && birth.state == state;
  }));
  return state;
}

}  // namespace quell
