// The world of a node's jobs: its timers, sockets, programs and blocking threads, brought up and
// taken down in order.
#pragma once

#include <memory>

#include "actors/effects/local_effects.hpp"
#include "actors/leased_effects.hpp"
#include "actors/node.hpp"
#include "actors/timers.hpp"

namespace quell {

class World {
 public:
  // `keeper` may be null. `secrets`, `lease` and `figures` must outlive the world.
  static Result<std::unique_ptr<World>> open(const NodeSettings& settings, Keeper* keeper,
                                             const Lease& lease, Figures& figures,
                                             SecretSource secrets);
  ~World();

  Timers& timers() { return timers_; }
  EffectRunner& effects() { return *leased_; }
  HttpClient& http() { return *http_; }
  void stop_timers() { timers_.stop(); }
  void stop();  // ends whatever is still in flight

 private:
  World() = default;

  ThreadTimers timers_;
  struct Sockets;
  std::unique_ptr<Sockets> sockets_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<ChildProcesses> programs_;
  std::unique_ptr<OffloadPool> offload_;
  std::unique_ptr<LocalEffects> effects_;
  std::unique_ptr<LeasedEffects> leased_;
};

}  // namespace quell
