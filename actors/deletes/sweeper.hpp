// Lets go what was to be kept only for a while: the copies of deleted jobs at the end that their
// receipts name, always; expired results and records when that is switched on, or when a person
// asks. Records go through the Deleter like every other delete. One slice after another, and so
// long apart that others have most of the store's time.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_sweeper(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
