// Looks at the store each `sentinel_every_s`, one node of the fleet at a time: keeps a snapshot of
// it, and says what is unusual. Reads a slice at a time, with pauses, and never more rows than
// `sentinel_rows`: nobody's claim waits for it.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_sentinel(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
