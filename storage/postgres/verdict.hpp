// Verdicts, notes on tickets, and force: how a held job goes. The transaction that records the last
// verdict erases.
#pragma once

#include "storage/postgres/sheet.hpp"

namespace quell::storage::postgres {

class Verdicts {
 public:
  explicit Verdicts(Sheet& sheet) : sheet_(sheet) {}
  static void want(const Batch& batch, Sheet::Wanted& wanted);
  VerdictResult apply(const VerdictOp& op);
  bool apply(const TicketOp& op);
  ForceResult apply(const ForceOp& op);

 private:
  void erase(JobEntry& job, Verdict verdict, Instant now, Way way, const std::string& who);

  Sheet& sheet_;
};

}  // namespace quell::storage::postgres
