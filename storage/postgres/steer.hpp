// Steer: what a person wants of a job short of deleting it.
#pragma once

#include "storage/postgres/sheet.hpp"

namespace quell::storage::postgres {

class Steer {
 public:
  explicit Steer(Sheet& sheet) : sheet_(sheet) {}
  static void want(const Batch& batch, Sheet::Wanted& wanted);
  SteerResult apply(const SteerOp& op);

 private:
  void steer(JobEntry& job, const SteerOp& op, SteerResult& result);
  void cancel(JobEntry& job, const SteerOp& op, SteerResult& result);

  Sheet& sheet_;
};

}  // namespace quell::storage::postgres
