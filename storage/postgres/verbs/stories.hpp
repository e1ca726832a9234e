// What tombstones tell of jobs that go, read before their rows have gone: see
// runtime/policy/tomb_story.hpp.
#pragma once

#include <vector>

#include "storage/postgres/verbs/eraser.hpp"

namespace quell::storage::postgres {

void tell_stories(Connection& db, std::vector<Erasure>& erased);

}  // namespace quell::storage::postgres
