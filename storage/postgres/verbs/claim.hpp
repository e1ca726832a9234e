// Due and claim: from scheduled to queued, and from queued to a node that has a free permit.
#pragma once

#include "storage/postgres/verbs/limits.hpp"
#include "storage/postgres/verbs/node.hpp"

namespace quell::storage::postgres {

class Claim {
 public:
  Claim(PgSession& session, Nodes& nodes) : session_(session), nodes_(nodes) {}
  void begin(const std::vector<ClaimOp>& ops) { limits_.lock_all(ops); }
  DueResult apply(const DueOp& op);
  std::vector<ClaimedJob> apply(const ClaimOp& op);

 private:
  PgSession& session_;
  Nodes& nodes_;
  ClaimRows claim_rows_{session_};
  Limits limits_{session_, claim_rows_};
  Turns turns_;
};

}  // namespace quell::storage::postgres
