// Sends webhooks. A delivery in flight can still act for its job, so it is a holder: a delete
// aborts it, and hears of its end only when its connection is closed. Nothing is sent that the
// store has not given to this node.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_courier(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
