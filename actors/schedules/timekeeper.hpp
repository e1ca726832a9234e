// Fires what is due. In a fleet one node does it; should two believe that they do, the store lets
// each due time fire once.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_timekeeper(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
