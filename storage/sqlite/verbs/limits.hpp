// What a claim from a limited queue reads and writes.
#pragma once

#include "storage/keyless_window.hpp"
#include "storage/limited_claim.hpp"
#include "storage/sqlite/verbs/claim_rows.hpp"

namespace quell::storage::sqlite {

class Limits final : public LimitedQueue {
 public:
  Limits(SqliteSession& session, ClaimRows& claim_rows);
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
  ClaimRows& claim_rows_;
  Statement state_, put_state_, running_, keys_, put_key_, window_;
  KeylessWindow keyless_;
};

}  // namespace quell::storage::sqlite
