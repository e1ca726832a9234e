// The outside world of the stage, and the process that meets it.
#include <caf/all.hpp>

#include "actors/clerk.hpp"
#include "actors/courier.hpp"
#include "actors/deleter.hpp"
#include "actors/endpoint_shelf.hpp"
#include "actors/foreman.hpp"
#include "actors/janitor.hpp"
#include "actors/node_life.hpp"
#include "actors/sealer.hpp"
#include "actors/send.hpp"
#include "runtime/assert.hpp"
#include "tests/actors/stage.hpp"

namespace quell {

namespace {

class Handle final : public RunningEffect {
 public:
  Handle(StageEffects& world, std::shared_ptr<StageEffects::Open> effect)
      : world_(world), effect_(std::move(effect)) {}
  void abort(AbortHow) override { world_.abort(effect_); }

 private:
  StageEffects& world_;
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
                     StageClock& clock, IdSource& ids, NodeId node, bool in_fleet, int hands)
    : lease(clock),
      roles(lease, !in_fleet),
      store_(store),
      settings_(std::move(settings)),
      steering_(settings_),
      secrets_(SecretBox(SecretBox::Key{})),
      leased_(effects, lease, figures),
      in_fleet_(in_fleet),
      hands_(hands),
      born_(clock.monotonic()),
      cast_(std::make_shared<Cast>()) {
  settings_.leave = [this] { ++left; };
  readers_ = std::make_unique<DirectReaders>(std::move(store.open_reader()).value());
  cast_->settings = &settings_;
  cast_->registry = &registry;
  cast_->clock = &clock;
  cast_->timers = &timers;
  cast_->effects = &leased_;
  cast_->readers = readers_.get();
  cast_->events = &events;
  cast_->figures = &figures;
  cast_->pools = &pools;
  cast_->busy = &busy;
  cast_->fleet = &fleet;
  cast_->lease = &lease;
  cast_->roles = &roles;
  cast_->ids = &ids;
  cast_->own_threads = false;
  cast_->sign = [](const std::string& payload) { return payload; };
  cast_->endpoints = std::make_shared<EndpointShelf>(SecretBox(SecretBox::Key{}));
  const auto shelf_reader = std::move(store.open_reader()).value();
  QUELL_ASSERT(cast_->endpoints->load(*shelf_reader).ok());
  begin(store, node);

  config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(config_);
  cast_->clerk = spawn_clerk(*system_, parts(store));
  cast_->deleter = spawn_deleter(*system_, cast_);
  cast_->janitor = spawn_janitor(*system_, cast_);
  cast_->courier = spawn_courier(*system_, cast_);
  cast_->sealer = spawn_sealer(*system_, cast_);
  cast_->foreman = spawn_foreman(*system_, cast_);
  if (in_fleet_) cast_->registrar = spawn_registrar(*system_, registrar_parts());
  tell(cast_->foreman, LookAgain{});
}

RegistrarParts StageLife::registrar_parts() {
  RegistrarParts parts;
  parts.cast = cast_;
  parts.lease = &lease;
  parts.roles = &roles;
  parts.steering = &steering_;
  parts.secrets = &secrets_;
  parts.shared_store = true;
  parts.born = born_;
  return parts;
}

// As the node does it: a new life, and what earlier ones held is taken back.
void StageLife::begin(storage::MemoryStore& store, NodeId node) {
  auto writer = std::move(store.open_writer()).value();
  auto life = begin_life(*writer, node, settings_, cast_->endpoints->subscriptions(), *cast_->ids,
                         cast_->clock->now());
  cast_->self = std::move(life).value().self;
}

ClerkParts StageLife::parts(storage::MemoryStore& store) const {
  ClerkParts parts;
  parts.cast = cast_;
  for (int i = 0; i < hands_; ++i) parts.writers.push_back(std::move(store.open_writer()).value());
  parts.reader = std::move(store.open_reader()).value();
  const auto counts = std::move(parts.reader->counts("")).value();
  for (const storage::CountRow& row : counts)
    if (row.state == JobState::queued && row.n > 0) parts.ready.push_back(row.queue);
  parts.shared_store = in_fleet_;
  parts.worth_a_scribe = 1;
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
  tell(cast_->foreman, DrainRuns{{}, true});
  tell(cast_->courier, DrainDeliveries{{}, true});
  do {
    effects.end_all();
    scheduler().run();
  } while (effects.open() > 0);
  for (const caf::actor* actor : {&cast_->registrar, &cast_->janitor, &cast_->deleter,
                                  &cast_->foreman, &cast_->courier, &cast_->sealer, &cast_->clerk})
    if (*actor) caf::anon_send_exit(*actor, caf::exit_reason::user_shutdown);
  scheduler().run();
  cast_->clerk = cast_->foreman = cast_->deleter = cast_->janitor = nullptr;
  cast_->courier = cast_->sealer = cast_->registrar = nullptr;
  store_.on_commit({});
  system_.reset();
}

}  // namespace quell
