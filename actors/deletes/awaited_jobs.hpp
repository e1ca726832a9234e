// Which calls wait for which job until its rows are gone, which of these jobs the next look at the
// store takes in, and when what it shows is believed. Plain state, no actor.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "runtime/base/clock.hpp"
#include "storage/batch.hpp"

namespace quell {

class AwaitedJobs {
 public:
  using Calls = std::set<std::uint64_t>;

  explicit AwaitedJobs(storage::NodeLife self) : self_(self) {}

  void add(JobId job, std::uint64_t call) { jobs_[job].calls.insert(call); }
  // Who is to be down first. Of those that are ours, our own Clerk tells, and only it knows what
  // they had in hand.
  void held_by(JobId job, const std::vector<storage::Holder>& holders);
  void note_verdict(JobId job, const storage::VerdictOp& verdict);  // by the Clerk
  void over(JobId job) { jobs_.erase(job); }

  bool empty() const { return jobs_.empty(); }
  Calls calls_of(JobId job) const;  // none: nobody waits for it

  // A look takes in a slice; so each job has its turn, however many wait.
  std::vector<JobId> next_slice(std::size_t max);
  bool is_round_over() const { return round_.empty(); }

  // The rows are seen to be gone. What our Clerk is still to tell is waited for, but not for ever:
  // somebody else may have erased them.
  bool believes_gone(JobId job, Millis now);

 private:
  struct Awaited {
    Calls calls;
    std::set<Uuid> own_words;  // the runs and deliveries of ours that nothing was told of yet
    std::optional<Millis> seen_gone = {};
  };

  storage::NodeLife self_;
  std::unordered_map<JobId, Awaited> jobs_;
  std::vector<JobId> round_;  // those that this round of looks has still to come to
};

}  // namespace quell
