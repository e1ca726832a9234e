// Finish: a run is down, and this is what became of it. The hottest write beside the claim.
#pragma once

#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

class Finish {
 public:
  explicit Finish(WorkingSet& rows) : rows_(rows) {}
  static void want(const Batch& batch, WorkingSet::Wanted& wanted);
  FinishResult apply(const FinishOp& op);

 private:
  int write_side_rows(const FinishOp& op, int has, bool counts,
                      std::optional<Instant> result_until);

  WorkingSet& rows_;
};

}  // namespace quell::storage::postgres
