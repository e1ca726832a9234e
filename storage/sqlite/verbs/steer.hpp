// Steer: what a person wants of a job short of deleting it.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

class Steer {
 public:
  explicit Steer(SqliteSession& session);
  SteerResult apply(const SteerOp& op);
  std::vector<SteerResult> apply(const std::vector<SteerOp>& ops);

 private:
  bool is_at(const DocAt& wanted);
  void steer(const JobHead& head, const SteerOp& op, SteerResult& result);
  void cancel(const JobHead& head, const SteerOp& op, SteerResult& result);
  void revive(const JobHead& head, const SteerOp& op, SteerResult& result);

  SqliteSession& session_;
  Statement version_, request_cancel_, end_, delete_live_, result_stays_, open_, insert_live_,
      run_now_, key_taken_;
};

}  // namespace quell::storage::sqlite
