// Owns the slots and the runs of a node. The only one that starts a job actor, stops one, and gives
// capacity back.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_foreman(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
