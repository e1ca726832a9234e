// What a claim from a limited queue reads and writes. Claims of one queue wait for each other at
// its row: what they count after that is what the others have committed.
#pragma once

#include <map>

#include "storage/keyless_window.hpp"
#include "storage/postgres/verbs/claim_rows.hpp"

namespace quell::storage::postgres {

class Limits final : public LimitedQueue {
 public:
  Limits(PgSession& session, ClaimRows& claim_rows) : session_(session), claim_rows_(claim_rows) {}
  // Before the first claim of a batch: every row that its claims need, in one order for all.
  void lock_all(const std::vector<ClaimOp>& ops);

  std::optional<TokenBucket> lock(const std::string& queue) override;
  std::int64_t running(const std::string& queue) override;
  std::vector<KeyDemand> keys(const ClaimOp& op, const std::string& after,
                              const std::optional<std::string>& to, int most) override;
  std::int64_t waiting_without_key(const ClaimOp& op, int deep) override;
  std::vector<ClaimedJob> take_oldest(const ClaimOp& op, int n) override;
  std::vector<ClaimedJob> take(const ClaimOp& op, const std::vector<KeyShare>& shares,
                               std::vector<int>& got) override;
  void write(const std::string& queue, const TokenBucket& bucket) override;
  void write(const std::string& queue, const Rate& rate,
             const std::vector<KeyBucket>& buckets) override;

 private:
  std::optional<TokenBucket> lock_row(const std::string& queue);

  PgSession& session_;
  ClaimRows& claim_rows_;
  std::map<std::string, std::optional<TokenBucket>> locked_;  // by this batch
  KeylessWindow keyless_;
};

}  // namespace quell::storage::postgres
