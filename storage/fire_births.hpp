// Which jobs of a fire are born now, by its overlap policy. For the stores that write SQL; the
// memory store says it in its own words.
#pragma once

#include <optional>
#include <vector>

#include "storage/schedules.hpp"

namespace quell::storage {

struct FireBirths {
  std::vector<const FireJob*> now;
  std::optional<Instant> waits;
  std::int64_t overlaps = 0;
};

inline bool asks_for_living(const FireOp& op) {
  return !op.by_hand && op.overlap != Overlap::allow;
}

inline FireBirths births_of_fire(const FireOp& op, bool one_lives) {
  FireBirths births;
  const std::size_t all = op.jobs.size();
  std::size_t first = 0, count = all;  // of those that are born
  if (asks_for_living(op) && all > 0) {
    const bool queues = op.overlap == Overlap::queue_one;
    const bool is_born = !one_lives || op.overlap == Overlap::cancel_old;
    first = queues ? 0 : all - 1;
    count = is_born ? 1 : 0;
    if (queues && all > count) births.waits = op.jobs[count].due;
  }
  for (std::size_t i = first; i < first + count; ++i) births.now.push_back(&op.jobs[i]);
  births.overlaps = static_cast<std::int64_t>(all - count - (births.waits ? 1 : 0));
  return births;
}

// Whether a run that is being deleted and is not down yet counts as one that lives: cancel_old has
// nothing to tell it.
inline bool asks_for_leaving(const FireOp& op) {
  return asks_for_living(op) && op.overlap != Overlap::cancel_old;
}

// A job that lived before, when another one is born in its place.
inline bool cancels_the_old(const FireOp& op) {
  return !op.by_hand && op.overlap == Overlap::cancel_old;
}
inline SteerOp cancel_by_fire(const FireOp& op, const JobId& old) {
  return {old, JobEvent::cancel, "schedule " + op.task.text(), op.now, {}, op.cancelled_expires};
}

// When to look at it next: at its time, or sooner while one waits.
inline std::optional<Instant> wake_after(const FireOp& op, bool waits) {
  if (!waits) return op.wake;
  return op.wake && *op.wake < op.look_again ? *op.wake : op.look_again;
}

}  // namespace quell::storage
