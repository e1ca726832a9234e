// What the actors of the schedules hear, from others and from themselves.
#pragma once

#include "actors/messages.hpp"

namespace quell {

// ---- to the Timekeeper
// -------------------------------------------------------------------------------------------------
struct LookAtSchedules {};  // timer, or Clerk: some were changed
struct SchedulesRead {      // reader
  Result<std::vector<storage::ScheduleRow>> due;
  std::vector<storage::ScheduleRow> all;  // a page of them, to be planned anew
  bool more = false;                      // behind that page
  std::optional<Instant> next;
};
struct FiresWritten {  // Clerk
  std::shared_ptr<const std::vector<storage::FireOp>> fires;
  Result<std::vector<storage::FireResult>> results;
};

// ---- to the TaskEraser
// -------------------------------------------------------------------------------------------------
struct LookAtTasks {};     // timer, or Clerk: a delete was ordered
struct ReconcileTasks {};  // timer
struct TasksRead {         // reader
  Result<std::vector<storage::TaskMessage>> messages;
};
struct TaskLeased {  // Clerk
  storage::TaskMessage message;
  Result<bool> leased;
};
struct TaskJobsRead {  // reader
  storage::TaskMessage message;
  Result<std::vector<JobId>> jobs;
  bool was_approved = false;  // the spike guard had held its delete
};
struct TaskJobsErased {  // Deleter
  storage::TaskMessage message;
  Result<DeleteReport> report;
};
struct TaskErased {  // Clerk
  storage::TaskMessage message;
  Result<bool> erased;
};
struct StuckTasksRead {  // reader
  Result<std::vector<storage::ScheduleRow>> tasks;
};
struct AwaitTask {  // Node: somebody waits for the end of this delete
  Uuid task;
  Millis wait;
  std::function<void(TaskDeleteReport)> answer;
};
struct AwaitedTaskOver {  // timer
  std::uint64_t waiter = 0;
};
struct AwaitedTasksSeen {  // reader: these are gone, and these have failed, with why
  std::vector<Uuid> gone;
  std::vector<std::pair<Uuid, std::string>> failed;
};

}  // namespace quell

#define QUELL_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quell::name)
QUELL_MESSAGE(LookAtSchedules)
QUELL_MESSAGE(SchedulesRead)
QUELL_MESSAGE(FiresWritten)
QUELL_MESSAGE(LookAtTasks)
QUELL_MESSAGE(ReconcileTasks)
QUELL_MESSAGE(TasksRead)
QUELL_MESSAGE(TaskLeased)
QUELL_MESSAGE(TaskJobsRead)
QUELL_MESSAGE(TaskJobsErased)
QUELL_MESSAGE(TaskErased)
QUELL_MESSAGE(StuckTasksRead)
QUELL_MESSAGE(AwaitTask)
QUELL_MESSAGE(AwaitedTaskOver)
QUELL_MESSAGE(AwaitedTasksSeen)
#undef QUELL_MESSAGE
