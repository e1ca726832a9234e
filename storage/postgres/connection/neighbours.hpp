// Whether anybody else could care for a hint: a NOTIFY takes a lock of the whole database at
// commit, so a single node sends none.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "runtime/base/id.hpp"

namespace quell::storage::postgres {

// Shared by the writers of one process.
class Neighbours {
 public:
  void add_own(NodeId node) {
    const std::lock_guard lock(mutex_);
    if (std::find(own_.begin(), own_.end(), node) == own_.end()) own_.push_back(node);
  }
  std::vector<NodeId> own() const {
    const std::lock_guard lock(mutex_);
    return own_;
  }
  void set_others(bool there) { others_ = there; }
  bool others() const { return others_; }

 private:
  mutable std::mutex mutex_;
  std::vector<NodeId> own_;
  std::atomic<bool> others_ = true;  // until the first look
};

}  // namespace quell::storage::postgres
