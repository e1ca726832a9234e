// Flush: what a run has to show so far, fenced like every write of a run.
#pragma once

#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

class Flush {
 public:
  explicit Flush(WorkingSet& rows) : rows_(rows) {}
  static void want(const Batch& batch, WorkingSet::Wanted& wanted);
  bool apply(const FlushOp& op);

 private:
  WorkingSet& rows_;
};

}  // namespace quell::storage::postgres
