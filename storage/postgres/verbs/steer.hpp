// Steer: what a person wants of a job short of deleting it.
#pragma once

#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

class Steer {
 public:
  explicit Steer(WorkingSet& rows) : rows_(rows) {}
  static void want(const Batch& batch, WorkingSet::Wanted& wanted);
  SteerResult apply(const SteerOp& op);

 private:
  void steer(JobEntry& job, const SteerOp& op, SteerResult& result);
  void cancel(JobEntry& job, const SteerOp& op, SteerResult& result);

  WorkingSet& rows_;
};

}  // namespace quell::storage::postgres
