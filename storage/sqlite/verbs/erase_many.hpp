// The marks of one call that leave nothing to wait for: what the Eraser does for one job, in
// statements over all of them, each told once what is the same for all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

class EraseMany {
 public:
  explicit EraseMany(SqliteSession& session);
  // What a transaction that failed had added is gone with it.
  void begin() { jobs_ = waited_ = has_ = 0; }
  // Nobody holds the job or is in doubt of it, and no copy of it is kept.
  void add(JobId job, const JobHead& head, int epoch, const std::string& story);
  // Marks and erases them all.
  void write(const MarkOp& op);

 private:
  struct Side {
    int bit;  // of job.has
    std::unique_ptr<Statement> erase;
  };

  SqliteSession& session_;
  const bool is_made_;  // the table that the statements name
  Statement add_, mark_, live_, tomb_, job_, forget_;
  std::vector<Side> sides_;
  int jobs_ = 0, waited_ = 0, has_ = 0;  // since the last write
};

}  // namespace quell::storage::sqlite
