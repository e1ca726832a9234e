// The only actor that says what is written to the Store. It drains its mailbox into one transaction
// (group commit), keeps the standing claims, and tells everyone what was committed, the Foreman
// first: the one ordered channel of claims, marks and cancels. Where the store takes several
// connections, births and ends with their claims go over all of them; anything else waits until
// those have come back and goes alone.
#pragma once

#include <memory>

#include "actors/node_context.hpp"
#include "runtime/policy/queue_policy.hpp"
#include "storage/store.hpp"

namespace quell {

struct ClerkParts {
  std::shared_ptr<NodeContext> context;
  std::vector<std::unique_ptr<storage::Writer>> writers;
  std::unique_ptr<storage::Reader> reader;  // for the next due time
  std::vector<QueueSpec> queues;
  std::vector<std::string> ready;  // queues that have work at the start
  bool shared_store = false;       // others write too: look again each second
  // So many rows; below, the way to a write worker and back is a good part of the commit.
  std::size_t worth_a_worker = 32;
};

caf::actor spawn_clerk(caf::actor_system& system, ClerkParts parts);

}  // namespace quell
