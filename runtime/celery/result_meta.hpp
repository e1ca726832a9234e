// What a client of Celery is told of a task: the record that its result backend would hold. The
// task's own process writes most of them; those of an end that it did not live to see are made
// here.
#pragma once

#include <optional>
#include <string>

#include "runtime/law/job.hpp"

namespace quell::celery {

// Names of what a task's job remembers (steps of the job, so that they go with it).
namespace step {
inline constexpr const char* meta = "celery.meta";          // the record as Celery wrote it
inline constexpr const char* message = "celery.message";    // what the next attempt runs
inline constexpr const char* run = "celery.run";            // running | late | retried | waits
inline constexpr const char* part = "celery.part";          // what it gave to its chord
inline constexpr const char* rejected = "celery.rejected";  // how often its process died
}  // namespace step

// Error codes of the kind, as they stand in a job's error.
namespace fault {
inline constexpr const char* failure = "celery-failure";  // the task raised; it wrote a record
inline constexpr const char* retry = "celery-retry";      // it asked to be run again
inline constexpr const char* expired = "celery-expired";  // before it began
inline constexpr const char* time_limit = "celery-time-limit";  // the hard one
inline constexpr const char* lost = "celery-worker-lost";
inline constexpr const char* rated = "celery-rate-limit";  // its time has not come
}  // namespace fault

bool is_end(const std::string& meta);  // its status is one that never changes again

// What to tell of a job, of what it remembers as its record. A final status is not told before the
// job is final, which is when its process has been reaped. Nothing: Celery reads that as PENDING.
std::optional<std::string> told_of(const JobView& job, const std::string& id,
                                   const std::optional<std::string>& meta, Instant now);
// What a task's own state (update_state) shows on its job's page: the state and what it says, and
// how far it is when it says `current` of `total`, or `progress`.
struct Progress {
  std::optional<double> fraction;
  std::string phase;
};
std::optional<Progress> progress_in(const std::string& meta);

// What whoever waits for a deleted task is told, once.
std::string revoked_meta(const std::string& id, const std::string& why, Instant now);

}  // namespace quell::celery
