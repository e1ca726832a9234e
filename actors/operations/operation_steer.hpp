// The commit that cancels the jobs of a slice, or has them run again.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "actors/node_context.hpp"
#include "actors/operations/operation_work.hpp"

namespace quell {

// Names the page of the outcomes, which is written with it.
std::shared_ptr<storage::Batch> steer_ops(NodeContext& context, OperationWork& work,
                                          const std::vector<JobId>& jobs,
                                          const std::set<JobId>& scheduled);

}  // namespace quell
