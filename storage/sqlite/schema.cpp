#include "storage/sqlite/schema.hpp"

#include <fmt/core.h>

#include "storage/migrate.hpp"
#include "storage/sqlite/connection/statement.hpp"

namespace quell::storage::sqlite {

namespace {

constexpr int application_id = 0x7175656c;  // "quel": the file says whose it is

int pragma(Connection& db, const char* name) {
  Statement read(db, fmt::format("PRAGMA {}", name));
  Rows row = read.rows();
  return row.next() ? row.number(0) : 0;
}

bool has_tables(Connection& db) {
  Statement read(db, "SELECT 1 FROM sqlite_schema LIMIT 1");
  Rows row = read.rows();
  return row.next();
}

[[noreturn]] void refuse(std::string detail) {
  throw Fault(Error{ErrorCode::store_schema, std::move(detail)}, false);
}

void write_laws(Connection& db) {
  std::vector<std::string> old;
  {
    Statement read(db,
                   "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'law_*'");
    for (Rows row = read.rows(); row.next();) old.push_back(row.text(0));
  }
  for (const std::string& name : old) db.execute("DROP TRIGGER " + name);
  db.execute(std::string(laws("sqlite")));
}

}  // namespace

int schema_number(Connection& db) {
  return pragma(db, "user_version");
}

void bring_up_to_date(Connection& db, bool may_migrate) {
  const std::vector<Migration> all = migrations("sqlite");
  const int ours = static_cast<int>(all.size());
  const int found = schema_number(db);
  const bool is_empty = found == 0 && !has_tables(db);
  if (!is_empty && pragma(db, "application_id") != application_id)
    refuse("the file is a database of another program");
  if (found > ours)
    refuse(fmt::format("the store has schema {}, this program knows {}", found, ours));
  if (found < ours && !may_migrate)
    refuse(fmt::format("the store has schema {}, this program needs {}", found, ours));
  if (!may_migrate) return;
  Transaction transaction(db, Transaction::Kind::write);
  for (const Migration& one : all)
    if (one.number > found) db.execute(std::string(one.text));
  write_laws(db);
  db.execute(fmt::format("PRAGMA user_version={}; PRAGMA application_id={}", ours, application_id));
  transaction.commit();
}

}  // namespace quell::storage::sqlite
