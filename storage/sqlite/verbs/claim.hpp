// Due and claim: from scheduled to queued, and from queued to a node that has a free permit.
#pragma once

#include "storage/sqlite/verbs/claim_rows.hpp"
#include "storage/sqlite/verbs/limits.hpp"

namespace quell::storage::sqlite {

class Claim {
 public:
  explicit Claim(SqliteSession& session);
  DueResult apply(const DueOp& op);
  std::vector<ClaimedJob> apply(const ClaimOp& op);

 private:
  SqliteSession& session_;
  ClaimRows claim_rows_;
  Limits limits_;
  Turns turns_;
  Statement due_, to_queue_;
};

}  // namespace quell::storage::sqlite
