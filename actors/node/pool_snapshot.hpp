// The pools' figures as others may see them: written by the Foreman alone, read by anyone.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "actors/node/node.hpp"

namespace quell {

class PoolSnapshot {
 public:
  void write(PoolView view) {
    const std::lock_guard lock(mutex_);
    pools_[view.name] = std::move(view);
  }
  std::vector<PoolView> read() const {
    const std::lock_guard lock(mutex_);
    std::vector<PoolView> all;
    for (const auto& [name, view] : pools_) all.push_back(view);
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, PoolView> pools_;
};

}  // namespace quell
