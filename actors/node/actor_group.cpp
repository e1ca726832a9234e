#include "actors/node/actor_group.hpp"

#include <caf/all.hpp>
#include <caf/logger.hpp>

#include "actors/node/control_actors.hpp"
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

struct ActorGroup::System {
  explicit System(int threads) : system(tuned(config, threads)) {}
  caf::actor_system_config config;
  caf::actor_system system;
};

ActorGroup::ActorGroup(std::shared_ptr<NodeContext> context, ClerkParts clerk,
                       RegistrarParts registrar, int job_threads)
    : context_(std::move(context)), system_(std::make_unique<System>(job_threads)) {
  start_control_actors(system_->system, context_, std::move(clerk), std::move(registrar));
  // CAF leaves a reference to its logger with each thread that spawns, and the system's end waits
  // for the last one. This thread may live on while another one ends the node.
  caf::logger::set_current_actor_system(nullptr);
}

ActorGroup::~ActorGroup() = default;

void ActorGroup::drain(bool at_once, std::function<void()> runs_over,
                       std::function<void()> deliveries_over) {
  tell(context_->foreman, DrainRuns{std::move(runs_over), at_once});
  tell(context_->courier, DrainDeliveries{std::move(deliveries_over), at_once});
}

void ActorGroup::say_goodbye(std::function<void()> done) {
  tell(context_->registrar, SayGoodbye{std::move(done)});
}

void ActorGroup::hear(std::vector<std::string> hints) {
  tell(context_->registrar, HintsHeard{std::move(hints)});
}

bool ActorGroup::dismiss(bool runs_are_over) {
  dismiss_control_actors(*context_);
  if (!runs_are_over) {
    static_cast<void>(system_.release());  // its destructor would wait for the run for ever
    return false;
  }
  system_->system.await_all_actors_done();
  forget_control_actors(*context_);
  system_.reset();
  return true;
}

}  // namespace quell
