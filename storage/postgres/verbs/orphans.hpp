// The question whether every row belongs to somebody and says what the others say.
#pragma once

#include <string>
#include <vector>

#include "storage/postgres/connection/connection.hpp"

namespace quell::storage::postgres {

std::vector<std::string> find_orphans(Connection& db);  // table or law, and id; at most 100 each

}  // namespace quell::storage::postgres
