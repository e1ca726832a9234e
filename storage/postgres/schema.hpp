// Brings a database to the schema of this program, or says why that cannot be.
#pragma once

#include "storage/postgres/connection/connection.hpp"

namespace quell::storage::postgres {

int schema_number(Connection& db);
// Throws a PgFault with store_schema when the database is foreign, older and may not be changed, or
// more than one step newer: while a fleet is upgraded, programs of schema N and N + 1 work
// together.
void bring_up_to_date(Connection& db, bool may_migrate);

}  // namespace quell::storage::postgres
