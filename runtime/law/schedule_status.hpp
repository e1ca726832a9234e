// What a schedule can be, and what its owner may choose: the words of schedule_machine.def.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quell {

enum class ScheduleStatus : std::uint8_t {
#define SCHEDULE_STATUS(name, wire, by, meaning) name,
#include "runtime/spec/schedule_machine.def"
#undef SCHEDULE_STATUS
};

enum class Overlap : std::uint8_t {
#define SCHEDULE_OVERLAP(name, meaning) name,
#include "runtime/spec/schedule_machine.def"
#undef SCHEDULE_OVERLAP
};

enum class Misfire : std::uint8_t {
#define SCHEDULE_MISFIRE(name, meaning) name,
#include "runtime/spec/schedule_machine.def"
#undef SCHEDULE_MISFIRE
};

// What becomes of the jobs of a schedule that is deleted: all go; those that have ended stay; or
// those that have not are cancelled, and all stay.
enum class JobsOfTask : std::uint8_t { remove, keep, cancel };
// Whether it deletes jobs that the other one would leave.
constexpr bool is_stronger(JobsOfTask one, JobsOfTask other) {
  const auto strength = [](JobsOfTask jobs) {
    return jobs == JobsOfTask::remove ? 2 : jobs == JobsOfTask::keep ? 1 : 0;
  };
  return strength(one) > strength(other);
}

// The path of the delete calls that take a schedule's jobs. What is judged is no spike of its own:
// the order was approved, or an earlier try had the same jobs.
inline constexpr std::string_view task_path = "task", judged_task_path = "task_judged";

std::string_view to_string(ScheduleStatus status);
std::string_view to_string(Overlap overlap);
std::string_view to_string(Misfire misfire);
std::string_view to_string(JobsOfTask jobs);
std::optional<ScheduleStatus> parse_schedule_status(std::string_view text);
std::optional<Overlap> parse_overlap(std::string_view text);
std::optional<Misfire> parse_misfire(std::string_view text);
std::optional<JobsOfTask> parse_jobs_of_task(std::string_view text);

// Whether a client may set it. The others are the delete's own.
bool is_for_clients(ScheduleStatus status);
inline bool is_leaving(ScheduleStatus status) {
  return !is_for_clients(status);
}

}  // namespace quell
