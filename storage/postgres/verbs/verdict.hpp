// Verdicts, notes on tickets, and force: how a held job goes. The transaction that records the last
// verdict erases.
#pragma once

#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

class Verdicts {
 public:
  explicit Verdicts(WorkingSet& rows) : rows_(rows) {}
  static void want(const Batch& batch, WorkingSet::Wanted& wanted);
  VerdictResult apply(const VerdictOp& op);
  bool apply(const TicketOp& op);
  ForceResult apply(const ForceOp& op);

 private:
  void erase(JobEntry& job, Verdict verdict, Instant now, Way way, const std::string& who);

  WorkingSet& rows_;
};

}  // namespace quell::storage::postgres
