// Finishes what was left: deletes whose holders have not answered, each asked again with growing
// patience, through the same Foreman and Clerk as the first time. Gives up aloud (`delete_failed`),
// never silently.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_janitor(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
