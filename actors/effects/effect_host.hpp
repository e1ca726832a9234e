// What the jobs of a node act through: its timers, sockets, programs and blocking threads, brought
// up and taken down in order.
#pragma once

#include <functional>
#include <memory>

#include "actors/effects/local_effects.hpp"
#include "actors/node/node.hpp"
#include "actors/runs/leased_effects.hpp"
#include "actors/timers.hpp"

namespace quell {

class EffectHost {
 public:
  // `keeper` may be null; `keeper_died` is called if it dies before the host does. `settings`,
  // `secrets`, `lease` and `metrics` must outlive it.
  static Result<std::unique_ptr<EffectHost>> open(const NodeSettings& settings, Keeper* keeper,
                                                  std::function<void()> keeper_died,
                                                  std::shared_ptr<FatalHandler> fatal,
                                                  const Lease& lease, Metrics& metrics,
                                                  SecretSource secrets);
  ~EffectHost();

  Timers& timers() { return timers_; }
  EffectRunner& effects() { return *leased_; }
  HttpClient& http() { return *http_; }
  void reload_tasks();
  void stop_timers() { timers_.stop(); }
  void stop();  // ends whatever is still in flight

 private:
  explicit EffectHost(std::shared_ptr<FatalHandler> fatal);

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
