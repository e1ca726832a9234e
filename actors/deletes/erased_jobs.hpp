// The jobs whose delete was proven a short while ago, for the last gate before the outside: nothing
// may begin for them any more. It has never stopped anything; the figure that counts it is the
// proof.
#pragma once

#include <deque>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "runtime/base/id.hpp"

namespace quell {

class ErasedJobs {
 public:
  void erased(JobId job) {
    const std::lock_guard lock(mutex_);
    if (!jobs_.insert(job).second) return;
    order_.push_back(job);
    if (order_.size() <= most) return;
    jobs_.erase(order_.front());
    order_.pop_front();
  }
  // A job that is claimed again was restored since.
  void lives(JobId job) {
    const std::lock_guard lock(mutex_);
    jobs_.erase(job);
  }
  bool has(JobId job) const {
    const std::lock_guard lock(mutex_);
    return jobs_.contains(job);
  }

 private:
  static constexpr std::size_t most = 20'000;
  mutable std::mutex mutex_;
  std::unordered_set<JobId> jobs_;
  std::deque<JobId> order_;
};

}  // namespace quell
