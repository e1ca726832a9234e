// The door to the outside, as long as the lease holds. What is asked for later never starts: it
// waits for the stop of its run, which is on its way.
#pragma once

#include "actors/effect_runner.hpp"
#include "actors/lease.hpp"

namespace quell {

class LeasedEffects final : public EffectRunner {
 public:
  LeasedEffects(EffectRunner& inner, const Lease& lease) : inner_(inner), lease_(lease) {}
  std::unique_ptr<RunningEffect> start(std::shared_ptr<EffectSink> sink, std::uint64_t id,
                                       EffectRequest request, const EffectOrigin& origin) override;

 private:
  EffectRunner& inner_;
  const Lease& lease_;
};

}  // namespace quell
