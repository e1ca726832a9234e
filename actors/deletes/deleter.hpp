// Leads every delete from its mark to its receipt: one table of calls, whoever asked for the same
// job gets the same truth.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_deleter(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
