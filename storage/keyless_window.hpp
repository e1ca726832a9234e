// The jobs without a limit key of a queue that has limits by key, found among those with one. No
// index holds them, so that jobs without a key cost nothing; a claim looks through a window of the
// queue, in its order, and the next one goes on where this one found too few. So each of them is
// come by, however many wait before it, and no claim looks at more than a window.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/base/id.hpp"

namespace quell::storage {

class KeylessWindow {
 public:
  struct Place {
    int pk = -1;
    JobId job;
  };
  // Where the last look found none, most queues have none at all: the next one is short.
  int rows(const std::string& queue, int wanted) const {
    return barren_.contains(queue) ? 500 : 2 * wanted + 500;
  }

  Place from(const std::string& queue) const {
    const auto at = from_.find(queue);
    return at == from_.end() ? Place{} : at->second;
  }
  void begin() { found_.clear(); }
  void found(const JobId& job) { found_.push_back(job); }
  // `end`: the last row of a window that was full.
  void looked(const std::string& queue, std::size_t wanted, bool was_full, const Place& end) {
    if (found_.empty())
      barren_.insert(queue);
    else
      barren_.erase(queue);
    if (found_.size() >= wanted) return;  // these go, and the next window is the same place
    if (was_full)
      from_[queue] = end;
    else
      from_.erase(queue);
  }
  // Of what was found, the next `n` that were not given yet.
  std::vector<JobId> next(int n) {
    const auto from = found_.begin();
    const auto to = from + std::min<std::ptrdiff_t>(n, std::ssize(found_));
    std::vector<JobId> some(from, to);
    found_.erase(from, to);
    return some;
  }
  std::size_t size() const { return found_.size(); }

 private:
  std::unordered_map<std::string, Place> from_;
  std::unordered_set<std::string> barren_;
  std::vector<JobId> found_;  // by the latest look, not given yet
};

}  // namespace quell::storage
