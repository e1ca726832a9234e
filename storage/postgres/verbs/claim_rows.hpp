// Taking jobs for a claim: three ways to say which, one way to say what they become.
#pragma once

#include <vector>

#include "storage/limited_claim.hpp"
#include "storage/postgres/connection/pg_session.hpp"

namespace quell::storage::postgres {

class ClaimRows {
 public:
  explicit ClaimRows(PgSession& session) : session_(session) {}
  std::vector<ClaimedJob> oldest(const ClaimOp& op, int n);
  // In the order of the shares; `got`: how many of each.
  std::vector<ClaimedJob> of_keys(const ClaimOp& op, const std::vector<KeyShare>& shares,
                                  std::vector<int>& got);
  std::vector<ClaimedJob> these(const ClaimOp& op, const std::vector<JobId>& jobs);

 private:
  struct Taken {
    std::int64_t rank;  // before the place in the queue
    int pk;
    ClaimedJob job;
  };
  void behind(const ClaimOp& op, int n, ClaimCursor& cursor, std::vector<ClaimedJob>& claimed);
  std::vector<Taken> read(const ClaimOp& op, const Rows& rows);

  PgSession& session_;
};

}  // namespace quell::storage::postgres
