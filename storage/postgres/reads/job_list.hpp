// Lists of jobs, newest first. Whatever the filter, a call looks at a bounded number of rows: where
// no index helps, the page says that it is partial and where to go on.
#pragma once

#include "storage/postgres/connection/connection.hpp"
#include "storage/reader.hpp"

namespace quell::storage::postgres {

JobPage list_jobs(Connection& db, const ListQuery& query);
MatchPage match_jobs(Connection& db, const ListQuery& query);

}  // namespace quell::storage::postgres
