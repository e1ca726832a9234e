// Group commit: operations of many askers become one Batch, and its Outcome is cut up again, each
// asker getting its own.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/base/result.hpp"
#include "storage/batch.hpp"

namespace quell {

// Of a batch that goes beside another one: as many rows as a statement does well, as few as leave
// work for the others. What one asker sends in one piece is not divided, so who sends many keeps to
// it.
inline constexpr std::size_t alongside_max = 250;

using WriteAnswer = std::function<void(Result<storage::Outcome>)>;

// One asker's operations.
struct Contribution {
  std::shared_ptr<storage::Batch> ops;
  WriteAnswer answer;
  std::size_t weight = 0;
  bool is_retried_until_taken =
      false;  // is tried again until the store takes it: nobody else knows of it
};

std::size_t weight_of(const storage::Batch& ops);
// Births and ends only: no two such batches touch the same job, so they may be written at the same
// time. Of all else the order of commits is the order in which the house hears of them.
bool may_go_alongside(const storage::Batch& ops);
bool is_empty(const storage::Batch& ops);

class PendingBatch {
 public:
  void add(Contribution contribution, bool steering);
  // A steering one whose commit failed: before all that came later, as it was.
  void put_back(Contribution contribution);
  bool empty() const { return steering_.empty() && bulk_.empty(); }
  // A mark, or anything else that must not be passed by a claim.
  bool steering() const { return alone_steering_ > 0; }
  bool bulk() const { return !bulk_.empty(); }
  bool anything_alone() const { return alone_steering_ + alone_bulk_ > 0; }
  std::size_t weight() const { return weight_; }

  // Steering ones first, then bulk ones, each up to its limit; what does not fit waits for the next
  // commit. A short transaction is what lets the stops of a large delete overlap its erases.
  std::vector<Contribution> take(std::size_t steering_weight_max, std::size_t bulk_weight_max);

 private:
  void count(const Contribution& contribution, bool steering, int by);

  std::deque<Contribution> steering_, bulk_;
  std::size_t weight_ = 0;
  int alone_steering_ = 0, alone_bulk_ = 0;
};

// Joins the operations; the contributions are left without theirs.
class JoinedBatch {
 public:
  explicit JoinedBatch(std::vector<Contribution>& parts);
  storage::Batch& ops() { return ops_; }
  // Each part's slice of the outcome, in the order of the parts.
  std::vector<storage::Outcome> cut(storage::Outcome& whole) const;
  // The operations of one part again, after a failed commit.
  std::shared_ptr<storage::Batch> again(std::size_t part) const;

 private:
  struct Share {
    std::vector<std::pair<std::size_t, std::size_t>> ranges;  // per verb: first, count
  };
  storage::Batch ops_;
  std::vector<Share> shares_;
};

}  // namespace quell
