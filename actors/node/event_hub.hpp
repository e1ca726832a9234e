// Tells watchers what was committed. Costs one atomic read while nobody watches.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "actors/node/node.hpp"

namespace quell {

class EventHub {
 public:
  using Watcher = std::function<void(const NodeEvent&)>;
  std::uint64_t subscribe(Watcher watcher);
  void unsubscribe(std::uint64_t id);
  bool anyone() const { return watched_.load(std::memory_order_relaxed); }
  void tell(const NodeEvent& event);

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, Watcher> watchers_;
  std::uint64_t last_ = 0;
  std::atomic<bool> watched_{false};
};

}  // namespace quell
