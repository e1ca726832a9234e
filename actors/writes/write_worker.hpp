// Writes for the Clerk on a connection of its own: applies one batch after the other on its thread
// while the Clerk gathers the next one. It decides nothing; what a commit means is said by
// the Clerk alone, in the order in which the commits are handed back.
#pragma once

#include <memory>

#include "actors/node_context.hpp"
#include "storage/store.hpp"

namespace quell {

caf::actor spawn_write_worker(caf::actor_system& system, std::shared_ptr<storage::Writer> writer,
                              const NodeContext& context);

}  // namespace quell
