// A batch that met an error in the data of one operation is repeated operation by operation, each
// in its own transaction, so that one bad one cannot spoil the rest.
#pragma once

#include <functional>

#include "storage/batch.hpp"

namespace quell::storage {

// The operation that fails again gets the answer "nothing was written", and where the answer has
// room for it, why: a broken law is named for what it is. Any other fault is thrown on.
Outcome one_by_one(const Batch& batch, const std::function<Outcome(const Batch&)>& apply);

}  // namespace quell::storage
