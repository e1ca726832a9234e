// Flush: what a run has to show so far, fenced like every write of a run.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

class Flush {
 public:
  explicit Flush(SqliteSession& session);
  bool apply(const FlushOp& op);

 private:
  Statement fence_, progress_, partial_, log_, step_, step_again_, job_has_, live_has_;
};

}  // namespace quell::storage::sqlite
