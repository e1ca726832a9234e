// A claim from a queue that has limits, the same in every store: count, ask the policy, take, and
// write what was spent. A queue without limits never comes here.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/policy/limit_policy.hpp"
#include "storage/batch.hpp"

namespace quell::storage {

// A key and how many of its jobs; "" for those without one.
using KeyShare = std::pair<std::string, int>;

using KeyBucket = std::pair<std::string, TokenBucket>;

constexpr std::int64_t plenty = concurrency_max;

// The rows, as a store reads and writes them.
class LimitedQueue {
 public:
  virtual ~LimitedQueue() = default;
  // The bucket of the queue's rate. Until the end of the transaction no other claim of this queue
  // comes between.
  virtual std::optional<TokenBucket> lock(const std::string& queue) = 0;
  virtual std::int64_t running(const std::string& queue) = 0;
  // Keys with jobs that wait, in their order: those behind `after`, up to and with `to`, at most
  // `most`. How many wait is not counted (`plenty`): taking them shows it.
  virtual std::vector<KeyDemand> keys(const ClaimOp& op, const std::string& after,
                                      const std::optional<std::string>& to, int most) = 0;
  // At most `deep`; `take` then gives what was found here.
  virtual std::int64_t waiting_without_key(const ClaimOp& op, int deep) = 0;
  virtual std::vector<ClaimedJob> take_oldest(const ClaimOp& op, int n) = 0;
  // In the order of the shares, each key's oldest first. `got`: how many of each; fewer when there
  // are no more, or a delete has them in hand.
  virtual std::vector<ClaimedJob> take(const ClaimOp& op, const std::vector<KeyShare>& shares,
                                       std::vector<int>& got) = 0;
  virtual void write(const std::string& queue, const TokenBucket& bucket) = 0;
  virtual void write(const std::string& queue, const Rate& rate,
                     const std::vector<KeyBucket>& buckets) = 0;
};

// Whose turn it was last, of each queue. Every writer keeps its own: its turns go round, so all do
// together, and no key is written down for it that a delete would have to find.
using Turns = std::unordered_map<std::string, std::string>;

std::vector<ClaimedJob> claim_limited(LimitedQueue& rows, const ClaimOp& op, Turns& turns);

}  // namespace quell::storage
