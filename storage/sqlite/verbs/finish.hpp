// Finish: a run is down, and this is what became of it. The hottest write beside the claim.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

// A live row under the fence of its run: nobody else may write for the job.
struct Run {
  std::string project, queue;
  int attempt = 0, lost = 0, has = 0;
  bool cancel_requested = false;
  std::optional<Instant> since;
  std::optional<NodeId> node;
};

class Finish {
 public:
  explicit Finish(SqliteSession& session);
  FinishResult apply(const FinishOp& op);

 private:
  bool fenced(JobId job, int epoch, Run& run);
  int write_side_rows(const FinishOp& op, const Run& run, bool counts,
                      std::optional<Instant> result_until);

  SqliteSession& session_;
  Statement run_, end_, delete_live_, back_, has_, result_, no_result_, usage_, attempt_;
};

}  // namespace quell::storage::sqlite
