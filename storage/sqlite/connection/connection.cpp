#include "storage/sqlite/connection/connection.hpp"

#include <sqlite3.h>

namespace quell::storage::sqlite {

namespace {

constexpr int busy_ms = 10'000;

// Checkpoints are left to their own thread: the automatic one would stall the writer inside a
// commit. What is deleted is overwritten with zeros.
constexpr const char* writer_settings =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
    "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF;"
    "PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=ON;";
constexpr const char* reader_settings =
    "PRAGMA query_only=ON; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY;";
constexpr const char* checkpointer_settings = "PRAGMA synchronous=FULL; PRAGMA cache_size=-1024;";

int flags_of(Access access) {
  switch (access) {
    case Access::write:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Access::checkpoint:
      return SQLITE_OPEN_READWRITE;
    case Access::read:
      break;
  }
  return SQLITE_OPEN_READONLY;
}

const char* settings_of(Access access) {
  switch (access) {
    case Access::write:
      return writer_settings;
    case Access::checkpoint:
      return checkpointer_settings;
    case Access::read:
      break;
  }
  return reader_settings;
}

// SQLite counts every allocation under one lock of the process, a tenth of the time of a claim. It
// refuses once somebody has used SQLite in this process; then it stays as it was.
void keep_no_statistics() {
  static const int ignored = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(ignored);
}

}  // namespace

void Connection::Close::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}

Connection::Connection(const std::string& path, Access access) {
  keep_no_statistics();
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &db, flags_of(access) | SQLITE_OPEN_NOMUTEX, nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) throw fault_of(code, db, "open the store");
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, busy_ms);
  execute(settings_of(access));
}

void Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw fault_of(code, db_.get(), "execute");
}

int Connection::changes() const {
  return sqlite3_changes(db_.get());
}

Transaction::Transaction(Connection& db, Kind kind) : db_(db) {
  db_.execute(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  // Some faults (disk full) have already rolled back; a second rollback then has nothing to do.
  if (open_ && !sqlite3_get_autocommit(db_.handle()))
    sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  db_.execute("COMMIT");
  open_ = false;
}

}  // namespace quell::storage::sqlite
