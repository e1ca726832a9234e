// Works on the operations of the whole fleet, on the node that leads the janitor's duties: slice by
// slice, each noted before it is begun, so that whoever takes an operation up begins with the slice
// that may be half done. Jobs go by the Deleter, as everywhere; a slice that is cancelled or
// retried is so in the commit that says so.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_operation_runner(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
