// Finish: a run is down, and this is what became of it. The hottest write beside the claim.
#pragma once

#include "storage/postgres/sheet.hpp"

namespace quell::storage::postgres {

class Finish {
 public:
  explicit Finish(Sheet& sheet) : sheet_(sheet) {}
  static void want(const Batch& batch, Sheet::Wanted& wanted);
  FinishResult apply(const FinishOp& op);

 private:
  int write_side_rows(const FinishOp& op, int has, bool counts);

  Sheet& sheet_;
};

}  // namespace quell::storage::postgres
