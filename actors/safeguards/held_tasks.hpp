// Deletes of schedules under the spike guard: what jobs an order takes, and the order itself, which
// may come from whoever approved it.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "actors/node_context.hpp"
#include "actors/safeguards/alert.hpp"

namespace quell {

// Of a schedule whose delete was approved; its jobs are no spike once more.
inline constexpr const char* approved_task_kind = "approved_task";

struct TasksTake {
  std::uint64_t jobs = 0, calls = 0;  // each schedule with jobs is a delete call of its own
};
// Of those that are there, and that no order which does as much to their jobs is deleting already.
Result<TasksTake> taken_by(storage::Reader& reader, const HeldTasks& order);

// From the answer on none of them fires; after an error some may not. `approved`: by this alert,
// whose note that a delete waits goes with the last of them; until then all may be ordered again.
void order_tasks(const std::shared_ptr<NodeContext>& context, const HeldTasks& order,
                 std::optional<Uuid> approved, std::function<void(Result<TasksOrdered>)> answer);

std::string detail_of(const TaskDeleteRequest& request, std::string_view refusal = {});

}  // namespace quell
