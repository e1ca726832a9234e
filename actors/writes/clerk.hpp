// The only actor that says what is written to the Store. It drains its mailbox into one transaction
// (group commit), keeps the standing claims, and tells everyone what was committed, the Foreman
// first: the one ordered channel of claims, marks and cancels. Where the store takes several
// connections, births and ends with their claims go over all of them; anything else waits until
// those have come back and goes alone.
#pragma once

#include "actors/writes/group_commit.hpp"

namespace quell {

caf::actor spawn_clerk(caf::actor_system& system, ClerkParts parts);

}  // namespace quell
