#include "actors/node/event_hub.hpp"

namespace quell {

std::uint64_t EventHub::subscribe(Watcher watcher) {
  const std::lock_guard lock(mutex_);
  watchers_.emplace(++last_, std::move(watcher));
  watched_ = true;
  return last_;
}

void EventHub::unsubscribe(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  watchers_.erase(id);
  watched_ = !watchers_.empty();
}

// Under the lock: after `unsubscribe` has returned, the watcher is never called again.
void EventHub::tell(const NodeEvent& event) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, watcher] : watchers_) watcher(event);
}

}  // namespace quell
