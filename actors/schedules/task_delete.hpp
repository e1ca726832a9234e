// The delete of a schedule, as somebody asks for it and as it is answered.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "runtime/law/schedule_status.hpp"
#include "storage/schedules.hpp"

namespace quell {

struct TaskDeleteRequest {
  Uuid task;
  std::string who, reason, request_id;
  std::string project = {};  // "" = any
  JobsOfTask jobs = JobsOfTask::remove;
  Millis wait{0};  // for its end; then the answer comes as it stands
  bool confirm = false, dry_run = false;
  std::optional<std::int64_t> if_version = {};  // of the schedule: only of this one
  std::string held_key = {};                    // see DeleteRequest
};

// What became of an order for one schedule or for those of a group, which is one call.
struct TasksOrdered {
  std::vector<storage::TaskDeleteResult> results = {};  // as they were asked for
  std::size_t would_delete = 0;
  bool frozen = false;  // a dry run, while deletions are
};

enum class TaskFate : std::uint8_t {
  already_deleted,
  pending,
  deleted,
  would_delete,
  changed,
  failed  // for now: it is tried again later
};

struct TaskDeleteReport {
  TaskFate fate = TaskFate::already_deleted;
  bool frozen = false;                 // a dry run, while deletions are
  std::optional<Uuid> delete_id = {};  // deleted: the call that deleted its jobs, if any
  std::string receipt = {};            // of that call, when this node led it
  std::string counts = {};             // JSON, likewise
  std::int64_t version = 0;            // changed: now
  std::string error = {};              // failed: why
  // deleted: what became of its jobs, by the order that stood in the end.
  std::optional<JobsOfTask> jobs = {};
};

}  // namespace quell
