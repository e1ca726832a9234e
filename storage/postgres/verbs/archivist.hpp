// Copies of jobs that are about to be erased, kept until a stated end, so that an undo is possible.
#pragma once

#include <vector>

#include "storage/postgres/verbs/eraser.hpp"

namespace quell::storage::postgres {

// Of those that have a copy_until.
void keep_copies(Connection& db, const std::vector<Erasure>& erased);

}  // namespace quell::storage::postgres
