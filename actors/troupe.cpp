#include "actors/troupe.hpp"

#include <caf/all.hpp>
#include <caf/logger.hpp>

#include "actors/courier.hpp"
#include "actors/deleter.hpp"
#include "actors/foreman.hpp"
#include "actors/janitor.hpp"
#include "actors/sealer.hpp"
#include "actors/send.hpp"

namespace quell {

namespace {

// The defaults are pathological for this load: stealing can take seconds with deep queues, and an
// unlimited throughput lets two busy actors starve all others.
caf::actor_system_config& tuned(caf::actor_system_config& config, int threads) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", static_cast<std::size_t>(threads));
  config.set("scheduler.max-throughput", std::size_t{100});
  return config;
}

}  // namespace

struct Troupe::System {
  explicit System(int threads) : system(tuned(config, threads)) {}
  caf::actor_system_config config;
  caf::actor_system system;
};

Troupe::Troupe(std::shared_ptr<Cast> cast, ClerkParts clerk, RegistrarParts registrar,
               int job_threads)
    : cast_(std::move(cast)), system_(std::make_unique<System>(job_threads)) {
  clerk.cast = cast_;
  cast_->clerk = spawn_clerk(system_->system, std::move(clerk));
  cast_->deleter = spawn_deleter(system_->system, cast_);
  cast_->janitor = spawn_janitor(system_->system, cast_);
  cast_->courier = spawn_courier(system_->system, cast_);
  cast_->sealer = spawn_sealer(system_->system, cast_);
  cast_->foreman = spawn_foreman(system_->system, cast_);
  registrar.cast = cast_;
  cast_->registrar = spawn_registrar(system_->system, std::move(registrar));
  // CAF leaves a reference to its logger with each thread that spawns, and the system's end waits
  // for the last one. This thread may live on while another one ends the node.
  caf::logger::set_current_actor_system(nullptr);
  tell(cast_->foreman, LookAgain{});  // offers its permits: from here on work is taken
}

Troupe::~Troupe() = default;

void Troupe::drain(bool at_once, std::function<void()> runs_over,
                   std::function<void()> deliveries_over) {
  tell(cast_->foreman, DrainRuns{std::move(runs_over), at_once});
  tell(cast_->courier, DrainDeliveries{std::move(deliveries_over), at_once});
}

void Troupe::say_goodbye(std::function<void()> done) {
  tell(cast_->registrar, SayGoodbye{std::move(done)});
}

void Troupe::hear(std::vector<std::string> hints) {
  tell(cast_->registrar, HintsHeard{std::move(hints)});
}

bool Troupe::dismiss(bool runs_are_over) {
  for (const caf::actor* actor : {&cast_->registrar, &cast_->janitor, &cast_->deleter,
                                  &cast_->foreman, &cast_->courier, &cast_->sealer, &cast_->clerk})
    caf::anon_send_exit(*actor, caf::exit_reason::user_shutdown);
  if (!runs_are_over) {
    static_cast<void>(system_.release());  // its destructor would wait for the run for ever
    return false;
  }
  system_->system.await_all_actors_done();
  cast_->clerk = cast_->foreman = cast_->deleter = cast_->janitor = nullptr;
  cast_->courier = cast_->sealer = cast_->registrar = nullptr;
  system_.reset();
  return true;
}

}  // namespace quell
