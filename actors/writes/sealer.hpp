// Chains the audit log: within a second of its commit every row carries a hash over all rows up to
// it. One node of a fleet does it; that two do it for a moment is harmless, for the store takes a
// seal only for the next unsealed rows.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

caf::actor spawn_sealer(caf::actor_system& system, std::shared_ptr<NodeContext> context);

}  // namespace quell
