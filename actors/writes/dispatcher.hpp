// Which queues the permits in hand go to. Lives inside the Clerk, because a standing claim is
// served by whatever commit comes next: enqueue and claim in one transaction. It holds permits,
// never rows, so a claim is never larger than they are.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/policy/queue_policy.hpp"
#include "storage/batch.hpp"

namespace quell {

class Dispatcher {
 public:
  void set_queue(const QueueSpec& spec);
  const QueuePolicy& queues() const { return policy_; }
  void add_permits(const std::string& pool, int count);
  int recall(const std::string& pool, int count);  // how many it still had
  void close() { closed_ = true; }                 // no claim any more

  void may_have_work(const std::string& queue);  // a hint
  void everything_may_have_work();
  // A queue with limits whose claim came back short may be full, not empty: a run that ended, or
  // time, may have made room.
  void limits_may_have_room();
  bool anyone_is_held() const { return !held_.empty(); }
  bool wants_claim() const;
  int could_claim(bool limited = true) const;  // permits of pools with work; of such queues too

  // The claims for the next commit; their permits are spent until `claimed` tells how many were
  // used. Several may be on their way at once.
  struct Wanted {
    int most = 1'000;     // of a pool: steering work must not wait behind a huge claim
    bool limited = true;  // of queues with limits too
  };
  std::vector<storage::ClaimOp> claims(const storage::NodeLife& owner, Instant now,
                                       const Wanted& wanted);
  std::vector<storage::ClaimOp> claims(const storage::NodeLife& owner, Instant now) {
    return claims(owner, now, Wanted{});
  }
  void claimed(const storage::ClaimOp& claim, std::size_t got);
  void claim_failed(const storage::ClaimOp& claim);
  const std::string& pool_of(const std::string& queue);

 private:
  const QueueSpec& known(const std::string& queue);
  bool limited(const std::string& queue) const;

  QueuePolicy policy_;
  std::map<std::string, int> permits_;                  // by pool
  std::map<std::string, std::set<std::string>> ready_;  // by pool: queues believed to have work
  std::set<std::string>
      hinted_;                   // since the last claim of the queue was made: it may not have seen
  std::set<std::string> asked_;  // queues with limits that a claim is on its way for
  std::set<std::string> held_;   // queues that their limits may hold
  bool closed_ = false;
};

}  // namespace quell
