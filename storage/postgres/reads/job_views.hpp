// Jobs as they are shown, from their rows: any number in one statement.
#pragma once

#include <unordered_map>
#include <vector>

#include "runtime/law/job.hpp"
#include "storage/postgres/connection/connection.hpp"

namespace quell::storage::postgres {

// args and results may be long: they are read only on demand.
std::unordered_map<JobId, JobView> read_views(Connection& db, const std::vector<JobId>& jobs,
                                              bool with_payload);

}  // namespace quell::storage::postgres
