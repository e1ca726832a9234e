#include "actors/runs/leased_effects.hpp"

#include <utility>

namespace quell {

namespace {

class NeverStarted final : public RunningEffect {
 public:
  NeverStarted(std::shared_ptr<EffectSink> sink, std::uint64_t id, const char* why)
      : sink_(std::move(sink)), id_(id), why_(why) {}
  void abort(AbortHow) override {
    if (const auto sink = std::exchange(sink_, nullptr))
      sink->ended(id_, EffectFailure{"draining", why_, true}, {.aborted = true});
  }

 private:
  std::shared_ptr<EffectSink> sink_;
  std::uint64_t id_;
  const char* why_;
};

}  // namespace

std::unique_ptr<RunningEffect> LeasedEffects::start(std::shared_ptr<EffectSink> sink,
                                                    std::uint64_t id, EffectRequest request,
                                                    const EffectOrigin& origin) {
  if (metrics_.erased.has(origin.job)) {
    metrics_.effects_after_delete += 1;
    return std::make_unique<NeverStarted>(std::move(sink), id, "the job is deleted");
  }
  if (!lease_.holds())
    return std::make_unique<NeverStarted>(std::move(sink), id, "the node has lost its lease");
  return inner_.start(std::move(sink), id, std::move(request), origin);
}

}  // namespace quell
