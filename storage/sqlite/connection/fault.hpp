// What SQLite complains of, as one of our errors.
#pragma once

#include "storage/fault.hpp"

struct sqlite3;

namespace quell::storage::sqlite {

Fault fault_of(int code, sqlite3* db, const char* doing);

}  // namespace quell::storage::sqlite
