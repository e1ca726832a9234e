// The nodes as this one last saw them: written by the Registrar, read by anyone.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "actors/node/node.hpp"

namespace quell {

class FleetSnapshot {
 public:
  void write(std::vector<FleetNode> nodes) {
    const std::lock_guard lock(mutex_);
    nodes_ = std::move(nodes);
  }
  std::vector<FleetNode> read() const {
    const std::lock_guard lock(mutex_);
    return nodes_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<FleetNode> nodes_;
};

}  // namespace quell
