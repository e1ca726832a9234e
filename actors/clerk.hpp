// The only actor that writes to the Store. It drains its mailbox into one transaction (group
// commit), keeps the standing claims, and tells everyone what was committed, the Foreman first: the
// one ordered channel of claims, marks and cancels.
#pragma once

#include <memory>

#include "actors/cast.hpp"
#include "runtime/queue_policy.hpp"
#include "storage/store.hpp"

namespace quell {

struct ClerkParts {
  std::shared_ptr<Cast> cast;
  std::unique_ptr<storage::Writer> writer;
  std::unique_ptr<storage::Reader> reader;  // for the next due time
  std::vector<QueueSpec> queues;
  std::vector<std::string> ready;  // queues that have work at the start
  bool shared_store = false;       // others write too: look again each second
};

caf::actor spawn_clerk(caf::actor_system& system, ClerkParts parts);

}  // namespace quell
