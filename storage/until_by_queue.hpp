// A time that may differ by the queue of the job: what whoever asks cannot know before the store
// has looked. Nothing: never.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runtime/base/clock.hpp"

namespace quell::storage {

class UntilByQueue {
 public:
  UntilByQueue() = default;
  UntilByQueue(std::optional<Instant> usual) : usual_(usual) {}
  UntilByQueue(Instant usual) : usual_(usual) {}
  void set(const std::string& queue, std::optional<Instant> until) { of_queue_[queue] = until; }
  std::optional<Instant> of(const std::string& queue) const {
    const auto own = of_queue_.find(queue);
    return own == of_queue_.end() ? usual_ : own->second;
  }

 private:
  std::optional<Instant> usual_;
  std::map<std::string, std::optional<Instant>> of_queue_;
};

}  // namespace quell::storage
