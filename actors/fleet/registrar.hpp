// Keeps this node's place in the fleet: renews its lease, climbs down when it can't, watches the
// others' beats and takes back what a dead one held, and brings in what others wrote for this node
// (orders, queues, pools), by hint or by looking.
#pragma once

#include <memory>

#include "actors/fleet/lease.hpp"
#include "actors/node/roles.hpp"
#include "actors/node_context.hpp"

namespace quell {

class Freeze;
class SecretRegistry;
class Steering;

struct RegistrarParts {
  std::shared_ptr<NodeContext> context;
  Lease* lease = nullptr;
  Roles* roles = nullptr;
  Steering* steering = nullptr;
  SecretRegistry* secrets = nullptr;
  Freeze* freeze = nullptr;
  bool shared_store = false;  // false: nobody can take this node's jobs, so it never climbs down
  Millis born{0};             // monotonic, before the life began: its first renewal
};

caf::actor spawn_registrar(caf::actor_system& system, RegistrarParts parts);

}  // namespace quell
