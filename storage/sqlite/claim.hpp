// Due and claim: from scheduled to queued, and from queued to a node that has a free permit.
#pragma once

#include "storage/sqlite/session.hpp"

namespace quell::storage::sqlite {

class Claim {
 public:
  explicit Claim(Session& session);
  DueResult apply(const DueOp& op);
  std::vector<ClaimedJob> apply(const ClaimOp& op);

 private:
  Session& session_;
  Statement due_, to_queue_, next_, take_, payload_;
};

}  // namespace quell::storage::sqlite
