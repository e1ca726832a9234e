// Due and claim: from scheduled to queued, and from queued to a node that has a free permit.
#pragma once

#include "storage/sqlite/limits.hpp"
#include "storage/sqlite/taking.hpp"

namespace quell::storage::sqlite {

class Claim {
 public:
  explicit Claim(Session& session);
  DueResult apply(const DueOp& op);
  std::vector<ClaimedJob> apply(const ClaimOp& op);

 private:
  Session& session_;
  Taking taking_;
  Limits limits_;
  Turns turns_;
  Statement due_, to_queue_;
};

}  // namespace quell::storage::sqlite
