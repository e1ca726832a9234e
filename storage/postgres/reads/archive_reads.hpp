// Reads of copies, of what goes when, and of every row that names a job.
#pragma once

#include <vector>

#include "storage/postgres/connection/connection.hpp"
#include "storage/reader.hpp"

namespace quell::storage::postgres {

std::vector<CopyHead> read_copies(Connection& db, const CopyQuery& query);
std::optional<CopyView> read_copy(Connection& db, JobId job, Instant now);
ExpiryReport read_expiries(Connection& db, Instant now, int limit, const ProtectionPtr& protection);
std::vector<Remnant> read_remnants(Connection& db, const std::vector<JobId>& jobs);

}  // namespace quell::storage::postgres
