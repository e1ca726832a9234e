// All that a commit steered: what was asked for by name, and what a fire cancelled in its place.
#pragma once

#include "storage/batch.hpp"

namespace quell::storage {

template <class Look>  // (job, event, result)
void each_steered(const Batch& batch, const Outcome& outcome, Look look) {
  for (std::size_t i = 0; i < outcome.steers.size(); ++i)
    look(batch.steers[i].job, batch.steers[i].event, outcome.steers[i]);
  for (const FireResult& fire : outcome.fires)
    for (const auto& [job, result] : fire.cancelled) look(job, JobEvent::cancel, result);
}

}  // namespace quell::storage
