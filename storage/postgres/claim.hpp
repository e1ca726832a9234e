// Due and claim: from scheduled to queued, and from queued to a node that has a free permit.
#pragma once

#include "storage/postgres/limits.hpp"
#include "storage/postgres/node.hpp"

namespace quell::storage::postgres {

class Claim {
 public:
  Claim(Session& session, Nodes& nodes) : session_(session), nodes_(nodes) {}
  void begin(const std::vector<ClaimOp>& ops) { limits_.lock_all(ops); }
  DueResult apply(const DueOp& op);
  std::vector<ClaimedJob> apply(const ClaimOp& op);

 private:
  Session& session_;
  Nodes& nodes_;
  Taking taking_{session_};
  Limits limits_{session_, taking_};
  Turns turns_;
};

}  // namespace quell::storage::postgres
