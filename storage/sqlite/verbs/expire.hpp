// Copies and results that have come to their end go, and the audit says so. Nobody can act for
// either, so there is nothing to be stopped first.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

class Expire {
 public:
  explicit Expire(SqliteSession& session);
  ExpireResult apply(const ExpireOp& op);

 private:
  struct Ended {
    JobId job;
    DeleteId call;  // that the audit names
    JobState state = JobState::succeeded;
  };
  static bool may_end(const ExpireOp& op, const Rows& row);
  std::vector<Ended> ended(const ExpireOp& op);

  SqliteSession& session_;
  Statement old_copies_, drop_copy_, old_results_, drop_result_, partials_, steps_, bits_;
};

}  // namespace quell::storage::sqlite
