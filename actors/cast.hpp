// Who plays in a node, and what they share. Filled once by the Node before the first message,
// emptied at its end.
#pragma once

#include <caf/actor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "actors/event_hub.hpp"
#include "actors/figures.hpp"
#include "actors/messages.hpp"
#include "actors/node.hpp"
#include "actors/timers.hpp"

namespace quell {

class BusyBoard;
class PoolBoard;
class ReaderPool;

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
  IdSource* ids = nullptr;
  storage::NodeLife self;
  std::string durability;                                       // of the store, for receipts
  std::function<std::string(const std::string& payload)> sign;  // the receipt's envelope
  bool own_threads = true;  // false in deterministic tests: every actor on the one scheduler

  caf::actor clerk, foreman, deleter, janitor;
};

}  // namespace quell
