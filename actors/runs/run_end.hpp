// From the end of a run to what is written of it: pure, so that every end can be tried without an
// actor.
#pragma once

#include "actors/messages.hpp"
#include "actors/node/node.hpp"
#include "actors/runs/run_table.hpp"

namespace quell {

storage::FinishOp finish_of(const Run& run, const RunEnded& end, const NodeSettings& settings,
                            const storage::NodeLife& self, Instant now, double random);

// A run whose actor died without a word: the handler is not to blame twice.
RunEnded crashed(const Run& run);

}  // namespace quell
