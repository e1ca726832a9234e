// Writes down what a commit did of the protocol, before anybody is told of it
// (runtime/law/trace.hpp).
#pragma once

#include "storage/batch.hpp"

namespace quell {

void trace_commit(const storage::NodeLife& self, const storage::Batch& ops,
                  const storage::Outcome& outcome);
// The erase of a job, by a commit of this process or read from the store.
void trace_gone(JobId job, Verdict verdict);

}  // namespace quell
