// What a schedule was told: when it is due, what it does while its last job still lives, and the
// job that each fire makes. Kept as one JSON text in its row.
#pragma once

#include <optional>
#include <string>

#include "runtime/law/job.hpp"
#include "runtime/policy/schedule_times.hpp"

namespace quell {

struct ScheduleTerms {
  TimesTold times;
  Overlap overlap = Overlap::allow;
  NewJob job;                           // without an id, a time, or a project of its own
  std::optional<Millis> deadline = {};  // from each fire on
};

std::string to_json(const ScheduleTerms& terms);
// Of our own writing: asserts on anything else.
ScheduleTerms terms_from_json(const std::string& text);

// The job of one fire. `due` is nothing when a person fires it: then it has the id that it is
// given.
NewJob job_of_fire(const ScheduleTerms& terms, const Uuid& task, const std::string& project,
                   std::optional<Instant> due, Instant now, const Uuid& id_by_hand = {});

}  // namespace quell
