// Who plays in a node, and what they share. Filled once by the Node before the first message,
// emptied at its end.
#pragma once

#include <caf/actor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "actors/messages.hpp"
#include "actors/node/event_hub.hpp"
#include "actors/node/metrics.hpp"
#include "actors/node/node.hpp"
#include "actors/timers.hpp"
#include "actors/writes/audit_head_snapshot.hpp"

namespace quell {

class BackupState;
class BusySnapshot;
class EndpointRegistry;
class FatalHandler;
class FleetSnapshot;
class Lease;
class PoolSnapshot;
class ReaderPool;
class Roles;
class SecretBox;

struct NodeContext {
  const NodeSettings* settings = nullptr;
  const Registry* registry = nullptr;
  std::shared_ptr<FatalHandler> fatal;  // the end of a control actor is the node's
  Clock* clock = nullptr;
  Timers* timers = nullptr;
  EffectRunner* effects = nullptr;
  ReaderPool* readers = nullptr;
  EventHub* events = nullptr;
  Metrics* metrics = nullptr;
  PoolSnapshot* pools = nullptr;
  BusySnapshot* busy = nullptr;
  FleetSnapshot* fleet = nullptr;
  const Lease* lease = nullptr;  // does it hold? Only the Registrar can change it
  const Roles* roles = nullptr;  // which duties of a fleet are this node's
  IdSource* ids = nullptr;
  std::shared_ptr<EndpointRegistry> endpoints;  // who listens; null: nobody
  const SecretBox* store_key = nullptr;         // what the store's secrets are sealed with
  std::shared_ptr<BackupState> backup_state;    // of the backup that is being made
  AuditHeadSnapshot audit_head;
  storage::NodeLife self;
  std::function<storage::Durability()> at_best;                 // of the store, see store.hpp
  std::function<std::string(const std::string& payload)> sign;  // the receipt's envelope
  // The store may have lost what it had acknowledged; `why`: it has, and this is how it was seen.
  // Then nothing of what is remembered here may go on, and this does not come back.
  std::function<void(const std::string& why)> doubt_history = [](const std::string&) {};
  // How careful this node is with deletes at this moment, and which queues take nothing new.
  std::function<DeletionRules()> deletion_rules = [] { return DeletionRules{}; };
  std::function<bool(const std::string& queue)> queue_is_closed = [](const std::string&) {
    return false;
  };
  // Behind a delete's commit: was it part of a spike? The project is the call's, "" = any.
  std::function<void(const std::string& project, const DeleteReport&)> look_for_spikes =
      [](const std::string&, const DeleteReport&) {};
  // Somebody of the fleet watches: the news of each commit are said with it.
  std::function<bool()> tells_news = [] { return false; };
  bool shared_store = false;  // other nodes change what is stored
  bool own_threads = true;    // false in deterministic tests: every actor on the one scheduler

  ProtectionPtr protection;  // of queues and tags, by the settings

  caf::actor clerk, foreman, deleter, janitor, registrar, courier, sealer, operations, timekeeper,
      task_eraser, sweeper, backups, sentinel;
};

}  // namespace quell
