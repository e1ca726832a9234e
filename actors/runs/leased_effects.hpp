// The API to the outside, as long as the lease holds. What is asked for later never starts: it
// waits for the stop of its run, which is on its way. Nor does anything start for a job whose
// delete is proven: no run of it is left that could ask, and if one did, it is counted.
#pragma once

#include "actors/fleet/lease.hpp"
#include "actors/node/metrics.hpp"
#include "actors/runs/effect_runner.hpp"

namespace quell {

class LeasedEffects final : public EffectRunner {
 public:
  LeasedEffects(EffectRunner& inner, const Lease& lease, Metrics& metrics)
      : inner_(inner), lease_(lease), metrics_(metrics) {}
  std::unique_ptr<RunningEffect> start(std::shared_ptr<EffectSink> sink, std::uint64_t id,
                                       EffectRequest request, const EffectOrigin& origin) override;

 private:
  EffectRunner& inner_;
  const Lease& lease_;
  Metrics& metrics_;
};

}  // namespace quell
