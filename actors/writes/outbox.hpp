// Puts what somebody wants to hear of into the very transaction that changes it. Where nobody
// listens it costs one look at an empty set.
#pragma once

#include "actors/node_context.hpp"

namespace quell {

// The births of a batch; called by the Clerk before it writes them.
void announce_births(storage::Batch& ops, const NodeContext& context);

// The end of a run of a job of `project`; `own_url`: the job names a URL of its own.
void announce_end(storage::FinishOp& op, int attempt, const std::string& project, bool own_url,
                  const NodeContext& context);

// What the store itself decides, and then tells these: erasures, cancels, jobs given up.
void add_listeners(storage::Batch& ops, const NodeContext& context);

bool brings_deliveries(const storage::Batch& ops, const storage::Outcome& outcome);

}  // namespace quell
