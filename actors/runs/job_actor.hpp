// One attempt of one job: an actor that owns a coroutine. It alone starts the job's effects, so its
// `stopping` flag is the fence and its table the count; it quits when its frame is destroyed and
// every effect has answered `ended`.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

// `kind` outlives the actor. The actor waits for StartRun.
caf::actor spawn_job_actor(caf::actor_system& system, const std::shared_ptr<NodeContext>& context,
                           storage::ClaimedJob job, const Kind& kind);

}  // namespace quell
