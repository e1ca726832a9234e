// What the sentinel looks at: how the database is, and which ids are there.
#pragma once

#include <vector>

#include "storage/postgres/connection/connection.hpp"
#include "storage/reader.hpp"

namespace quell::storage::postgres {

StoreHealth read_health(Connection& db);
std::vector<IdRow> read_ids(Connection& db, const Uuid& from, const Uuid& below, int limit);

}  // namespace quell::storage::postgres
