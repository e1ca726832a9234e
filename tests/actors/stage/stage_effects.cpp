// The outside world of the stage, and the process that meets it.
#include <caf/all.hpp>

#include "actors/fatal.hpp"
#include "actors/node/control_actors.hpp"
#include "actors/node/node_life.hpp"
#include "actors/send.hpp"
#include "actors/webhooks/endpoint_registry.hpp"
#include "runtime/base/assert.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {

namespace {

class Handle final : public RunningEffect {
 public:
  Handle(StageEffects& effect_host, std::shared_ptr<StageEffects::Open> effect)
      : effect_host_(effect_host), effect_(std::move(effect)) {}
  void abort(AbortHow) override { effect_host_.abort(effect_); }

 private:
  StageEffects& effect_host_;
  std::shared_ptr<StageEffects::Open> effect_;
};

}  // namespace

std::unique_ptr<RunningEffect> StageEffects::start(std::shared_ptr<EffectSink> sink,
                                                   std::uint64_t id, EffectRequest request,
                                                   const EffectOrigin& origin) {
  if (on_start) on_start(origin);
  open_.push_back(std::make_shared<Open>(Open{std::move(sink), id, origin}));
  if (open_.back()->is_delivery()) {
    open_.back()->sent = std::get<StreamRequest>(request).http;
    delivered.push_back(*open_.back()->sent);
  }
  return std::make_unique<Handle>(*this, open_.back());
}

bool StageEffects::has(JobId job) const {
  for (const auto& effect : open_)
    if (effect->origin.job == job) return true;
  return false;
}

void StageEffects::answer(std::size_t at, bool aborted) {
  const auto effect = open_.at(at);
  open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
  QUELL_ASSERT(!std::exchange(effect->ended, true));
  EffectNote note;
  note.aborted = aborted;
  if (effect->is_delivery() && !aborted)
    effect->sink->ended(effect->id, HttpReply(200, {}, {}), note);
  else
    effect->sink->ended(effect->id, std::monostate{}, note);
}

const StageEffects::Open* StageEffects::delivery() const {
  for (const auto& effect : open_)
    if (effect->is_delivery()) return effect.get();
  return nullptr;
}

bool StageEffects::end_delivery(EffectAnswer said) {
  for (std::size_t i = 0; i < open_.size(); ++i) {
    const auto effect = open_[i];
    if (!effect->is_delivery()) continue;
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    QUELL_ASSERT(!std::exchange(effect->ended, true));
    effect->sink->ended(effect->id, std::move(said), {});
    return true;
  }
  return false;
}

bool StageEffects::end(JobId job) {
  for (std::size_t i = 0; i < open_.size(); ++i)
    if (open_[i]->origin.job == job && !open_[i]->is_delivery()) return answer(i, false), true;
  return false;
}

bool StageEffects::end_nth(std::size_t n) {
  if (n >= open_.size()) return false;
  answer(n, false);
  return true;
}

void StageEffects::end_all() {
  while (!open_.empty()) answer(open_.size() - 1, open_.back()->abort_asked);
}

void StageEffects::let_aborted_ones_end() {
  for (std::size_t i = open_.size(); i-- > 0;)
    if (open_[i]->abort_asked) answer(i, true);
}

void StageEffects::abort(const std::shared_ptr<Open>& effect) {
  effect->abort_asked = true;
  if (manner == Manner::late || effect->ended) return;
  for (std::size_t i = 0; i < open_.size(); ++i)
    if (open_[i] == effect) return answer(i, true);
}

StageLife::StageLife(storage::MemoryStore& store, NodeSettings settings, const Registry& registry,
                     StageClock& clock, IdSource& ids, NodeId node, bool in_fleet, int writers)
    : lease(clock),
      roles(lease, !in_fleet),
      store_(store),
      settings_(std::move(settings)),
      steering_(settings_),
      secrets_(SecretBox(SecretBox::Key{})),
      leased_(effects, lease, metrics),
      in_fleet_(in_fleet),
      writers_(writers),
      born_(clock.monotonic()),
      context_(std::make_shared<NodeContext>()) {
  context_->at_best = [] { return storage::Durability::local; };
  settings_.leave = [this] { ++left; };
  readers_ = std::make_unique<DirectReaders>(std::move(store.open_reader()).value());
  context_->settings = &settings_;
  context_->registry = &registry;
  context_->fatal =
      std::make_shared<FatalHandler>([this](const FatalFault& fault) { fallen.push_back(fault); });
  context_->clock = &clock;
  context_->timers = &timers;
  context_->effects = &leased_;
  context_->readers = readers_.get();
  context_->events = &events;
  context_->metrics = &metrics;
  context_->pools = &pools;
  context_->busy = &busy;
  context_->fleet = &fleet;
  context_->lease = &lease;
  context_->roles = &roles;
  context_->ids = &ids;
  context_->own_threads = false;
  context_->shared_store = in_fleet_;
  context_->sign = [](const std::string& payload) { return payload; };
  context_->endpoints = std::make_shared<EndpointRegistry>(SecretBox(SecretBox::Key{}));
  const auto endpoint_reader = std::move(store.open_reader()).value();
  QUELL_ASSERT(context_->endpoints->load(*endpoint_reader).ok());
  auto writer = begin_life_in(store, node);
  config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(config_);
  start_control_actors(*system_, context_, parts(store, std::move(writer)), registrar_parts());
}

RegistrarParts StageLife::registrar_parts() {
  RegistrarParts parts;
  parts.lease = &lease;
  parts.roles = &roles;
  parts.steering = &steering_;
  parts.secrets = &secrets_;
  parts.freeze = &freeze;
  parts.born = born_;
  return parts;
}

// As the node does it: a new life, and what earlier ones held is taken back.
std::unique_ptr<storage::Writer> StageLife::begin_life_in(storage::MemoryStore& store,
                                                          NodeId node) {
  auto writer = std::move(store.open_writer()).value();
  auto life = begin_life(*writer, node, settings_, context_->endpoints->subscriptions(),
                         *context_->ids, context_->clock->now());
  context_->self = std::move(life).value().self;
  return writer;
}

ClerkParts StageLife::parts(storage::MemoryStore& store,
                            std::unique_ptr<storage::Writer> writer) const {
  ClerkParts parts = clerk_parts(store, std::move(writer), writers_, steering_).value();
  parts.worth_a_worker = 1;
  return parts;
}

caf::scheduler::test_coordinator& StageLife::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

// A dead process says nothing; but its actors must come down in order or they would never be freed,
// so they are drained with a store that refuses and a world that answers at once.
StageLife::~StageLife() {
  dead = true;
  store_.on_commit([](const storage::Batch&) {
    return storage::CommitFate{storage::CommitFate::Kind::refuse,
                               Error{ErrorCode::store_unavailable, "the process is dead"}};
  });
  effects.on_start = {};
  effects.manner = StageEffects::Manner::obedient;
  tell(context_->foreman, DrainRuns{{}, true});
  tell(context_->courier, DrainDeliveries{{}, true});
  do {
    effects.end_all();
    scheduler().run();
  } while (effects.open() > 0);
  dismiss_control_actors(*context_);
  scheduler().run();
  forget_control_actors(*context_);
  store_.on_commit({});
  system_.reset();
}

}  // namespace quell
