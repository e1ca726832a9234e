// Steer: what a person wants of a job short of deleting it.
#pragma once

#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

class Steer {
 public:
  explicit Steer(WorkingSet& rows) : rows_(rows) {}
  static void want(const Batch& batch, WorkingSet::Wanted& wanted);
  SteerResult apply(const SteerOp& op);
  std::vector<SteerResult> apply(const std::vector<SteerOp>& ops);

 private:
  bool is_at(const DocAt& wanted);
  void steer(JobEntry& job, const SteerOp& op, SteerResult& result);
  void cancel(JobEntry& job, const SteerOp& op, SteerResult& result);

  WorkingSet& rows_;
};

}  // namespace quell::storage::postgres
