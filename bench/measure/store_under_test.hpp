// An empty store whenever one is asked for: a new SQLite file, or a new database in a PostgreSQL of
// our own. Both on a real disk, with fsync, as a user has them; a small run, whose figures nobody
// reads, keeps PostgreSQL in memory.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tests/storage/postgres/temporary_postgres.hpp"

namespace quell::bench {

// A directory that goes with the program.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class StoreUnderTest {
 public:
  StoreUnderTest(std::string address, bool quick) : address_(std::move(address)), quick_(quick) {}
  std::string another();  // the address of an empty one
  void forget_last();
  // What our PostgreSQL's processes have used so far; 0 when there is none.
  double server_cpu_seconds() const;

 private:
  std::string address_;
  bool quick_;
  Scratch scratch_;
  std::unique_ptr<storage::TemporaryPostgres> server_;
  int made_ = 0;
};

}  // namespace quell::bench
