// Verdict and force: how a held job goes. The transaction that records the last verdict erases.
#pragma once

#include "storage/sqlite/verbs/eraser.hpp"
#include "storage/sqlite/verbs/tickets.hpp"

namespace quell::storage::sqlite {

class Verdicts {
 public:
  Verdicts(SqliteSession& session, Eraser& eraser, Tickets& tickets)
      : session_(session), eraser_(eraser), tickets_(tickets) {}
  VerdictResult apply(const VerdictOp& op);
  ForceResult apply(const ForceOp& op);

 private:
  void erase(JobId job, const Ticket& ticket, Verdict verdict, Instant now, Way way,
             std::string_view who);

  SqliteSession& session_;
  Eraser& eraser_;
  Tickets& tickets_;
};

}  // namespace quell::storage::sqlite
