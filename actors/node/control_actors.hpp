// The control actors of one node, brought up and taken down in one order: by a node in production
// and by a test that plays them on a stage, which brings its own clock, timers, effects and store.
#pragma once

#include <caf/actor_system.hpp>
#include <memory>

#include "actors/fleet/registrar.hpp"
#include "actors/writes/clerk.hpp"

namespace quell {

// What the Clerk needs of the store as it stands. `first` is one of its writers; the rest, up to
// `writers`, are opened here.
Result<ClerkParts> clerk_parts(storage::Store& store, std::unique_ptr<storage::Writer> first,
                               int writers, const Steering& steering);

// The parts must be complete but for the context. From here on work is taken.
void start_control_actors(caf::actor_system& system, const std::shared_ptr<NodeContext>& context,
                          ClerkParts clerk, RegistrarParts registrar);
// They end when they have handled what waits for them.
void dismiss_control_actors(const NodeContext& context);
void forget_control_actors(NodeContext& context);

}  // namespace quell
