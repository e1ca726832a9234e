// A schedule, read strictly from JSON: when it is due, what it does about overlaps and misfires,
// and the job that it submits, which is held to what a submit is held to.
#pragma once

#include <string>
#include <vector>

#include "http/api/fields.hpp"
#include "http/api/job_request.hpp"
#include "runtime/policy/schedule_terms.hpp"
#include "storage/schedules.hpp"

namespace quell::http {

struct ScheduleAsked {
  storage::ScheduleRow row;
  ScheduleTerms terms;
};

// Writes what the object says over what `asked` is. `is_new`: what every schedule needs must be
// there.
void read_schedule(JsonValue object, const SubmitTerms& terms, IdSource& ids, bool is_new,
                   ScheduleAsked& asked, std::vector<FieldFault>& faults);

// It waits for what `terms` say from now on; never for what has passed.
void set_times(storage::ScheduleRow& row, const ScheduleTerms& terms, Instant now);
// The change of `was` to `row`, whose times are set; what was due until now is missed.
storage::SchedulePutOp put_with_new_times(storage::ScheduleRow row, const storage::ScheduleRow& was,
                                          Instant now);

}  // namespace quell::http
