// Consumes the orders to delete a task: its jobs go by the one delete protocol, and when none is
// left the task itself. What is not done comes back later; what is stuck the reconciler finds.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_task_eraser(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
