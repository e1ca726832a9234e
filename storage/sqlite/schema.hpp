// Brings a file to the schema of this program, or says why that cannot be.
#pragma once

#include "storage/sqlite/connection/connection.hpp"

namespace quell::storage::sqlite {

int schema_number(Connection& db);
// Throws a Fault with store_schema when the file is newer, foreign, or older and may not be
// changed.
void bring_up_to_date(Connection& db, bool may_migrate);

}  // namespace quell::storage::sqlite
