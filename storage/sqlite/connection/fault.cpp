#include "storage/sqlite/connection/fault.hpp"

#include <fmt/core.h>
#include <sqlite3.h>

namespace quell::storage::sqlite {

namespace {

ErrorCode code_of(int primary) {
  switch (primary) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::store_corrupt;
    case SQLITE_FULL:
      return ErrorCode::store_full;
    case SQLITE_SCHEMA:
      return ErrorCode::store_schema;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_ERROR:
      return ErrorCode::internal;
    default:  // busy, read-only, cannot open, I/O error, out of memory: the same call may succeed
      return ErrorCode::store_unavailable;
  }
}

}  // namespace

Fault fault_of(int code, sqlite3* db, const char* doing) {
  const int primary = code & 0xff;
  const bool is_data =
      primary == SQLITE_CONSTRAINT || primary == SQLITE_TOOBIG || primary == SQLITE_MISMATCH;
  std::string detail = fmt::format("{}: {}", doing, db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  return Fault(Error{code_of(primary), std::move(detail)}, is_data);
}

}  // namespace quell::storage::sqlite
