// Flush: what a run has to show so far, fenced like every write of a run.
#pragma once

#include "storage/postgres/sheet.hpp"

namespace quell::storage::postgres {

class Flush {
 public:
  explicit Flush(Sheet& sheet) : sheet_(sheet) {}
  static void want(const Batch& batch, Sheet::Wanted& wanted);
  bool apply(const FlushOp& op);

 private:
  Sheet& sheet_;
};

}  // namespace quell::storage::postgres
