// How words of the runtime are written as numbers in SQL, the same in every SQL store.
#pragma once

#include "runtime/law/job_machine.hpp"

namespace quell::storage::codes {

// job.state: an open job's shown state is its place in `live`.
enum Stored : int { open = 0, succeeded, failed, cancelled, pending_delete, delete_failed };
enum Place : int { scheduled = 0, queued = 1, running = 2 };
enum DeliveryPlace : int { waiting = 0, in_flight = 1, ended = 2, holding = 3 };

// job.has and live.has: side tables with rows of the job, and whether it refuses deletion.
enum Has : int {
  has_payload = 1,
  has_result = 2,
  has_steps = 4,
  has_partials = 8,
  has_logs = 16,
  has_attempts = 32,
  has_deliveries = 64,
  has_progress = 128,
  is_protected = 256,
  has_doubts = 512  // may have: the notes go when a lost owner is proven down, the bit stays
};

constexpr int stored(JobState state) {
  return state <= JobState::running ? Stored::open : static_cast<int>(state) - 2;
}
constexpr JobState shown(int stored_state, int place) {
  return static_cast<JobState>(stored_state == Stored::open ? place : stored_state + 2);
}
static_assert(stored(JobState::succeeded) == Stored::succeeded);
static_assert(stored(JobState::delete_failed) == Stored::delete_failed);
static_assert(shown(Stored::open, Place::running) == JobState::running);

}  // namespace quell::storage::codes
