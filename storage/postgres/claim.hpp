// Due and claim: from scheduled to queued, and from queued to a node that has a free permit.
#pragma once

#include "storage/postgres/node.hpp"

namespace quell::storage::postgres {

class Claim {
 public:
  Claim(Session& session, Nodes& nodes) : session_(session), nodes_(nodes) {}
  DueResult apply(const DueOp& op);
  std::vector<ClaimedJob> apply(const ClaimOp& op);

 private:
  void take(const ClaimOp& op, ClaimCursor& cursor, std::vector<ClaimedJob>& claimed);

  Session& session_;
  Nodes& nodes_;
};

}  // namespace quell::storage::postgres
