// The finish of the hot path: jobs that ended for good, nothing else in the batch that looks at
// jobs. Two statements instead of a read and four writes; when somebody else moved one of the jobs
// meanwhile the batch is done again the careful way.
#pragma once

#include "storage/postgres/connection/pg_session.hpp"
#include "storage/postgres/working_set/side_rows.hpp"

namespace quell::storage::postgres {

class FastFinish {
 public:
  explicit FastFinish(PgSession& session) : session_(session), side_(session.db) {}
  static bool fits(const Batch& batch);
  std::vector<FinishResult> apply(const std::vector<FinishOp>& ops);
  void forget() { side_.forget(); }

 private:
  void write_side_rows(const FinishOp& op, int had);

  PgSession& session_;
  SideRows side_;
};

}  // namespace quell::storage::postgres
