// Who plays in a node, and what they share. Filled once by the Node before the first message,
// emptied at its end.
#pragma once

#include <caf/actor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "actors/audit_head_board.hpp"
#include "actors/event_hub.hpp"
#include "actors/figures.hpp"
#include "actors/messages.hpp"
#include "actors/node.hpp"
#include "actors/timers.hpp"

namespace quell {

class BusyBoard;
class EndpointShelf;
class FleetBoard;
class Lease;
class PoolBoard;
class ReaderPool;
class Roles;

struct Cast {
  const NodeSettings* settings = nullptr;
  const Registry* registry = nullptr;
  Clock* clock = nullptr;
  Timers* timers = nullptr;
  EffectRunner* effects = nullptr;
  ReaderPool* readers = nullptr;
  EventHub* events = nullptr;
  Figures* figures = nullptr;
  PoolBoard* pools = nullptr;
  BusyBoard* busy = nullptr;
  FleetBoard* fleet = nullptr;
  const Lease* lease = nullptr;  // does it hold? Only the Registrar can change it
  const Roles* roles = nullptr;  // which duties of a fleet are this node's
  IdSource* ids = nullptr;
  std::shared_ptr<EndpointShelf> endpoints;  // who listens; null: nobody
  AuditHeadBoard audit_head;
  storage::NodeLife self;
  std::string durability;                                       // of the store, for receipts
  std::function<std::string(const std::string& payload)> sign;  // the receipt's envelope
  bool shared_store = false;                                    // other nodes change what is stored
  bool own_threads = true;  // false in deterministic tests: every actor on the one scheduler

  caf::actor clerk, foreman, deleter, janitor, registrar, courier, sealer;
};

}  // namespace quell
