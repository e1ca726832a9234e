// One connection to the file, with the settings that durability and speed depend on.
#pragma once

#include <memory>
#include <string>

#include "storage/sqlite/connection/fault.hpp"

struct sqlite3;

namespace quell::storage::sqlite {

enum class Access { write, read, checkpoint };

class Connection {
 public:
  Connection(const std::string& path, Access access);
  sqlite3* handle() const { return db_.get(); }
  void execute(const std::string& sql);  // any number of statements, no parameters
  int changes() const;                   // rows touched by the last statement

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  std::unique_ptr<sqlite3, Close> db_;
};

// A transaction that is undone unless it is committed.
class Transaction {
 public:
  enum class Kind { write, read };
  Transaction(Connection& db, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& db_;
  bool open_ = true;
};

}  // namespace quell::storage::sqlite
