// Many queues share one pool: who gets the next permits? Fair by weight, the same answer for the
// same history, and no queue with work waits for ever.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/policy/queue_limits.hpp"

namespace quell {

struct QueueSpec {
  std::string name = "default";
  std::string pool = "default";
  std::uint32_t weight = 1;
  bool paused = false;  // nothing is claimed from it
  bool closed = false;  // nothing new is taken in; what waits is still claimed
  QueueLimits limits = {};
  bool operator==(const QueueSpec&) const = default;
};

constexpr std::uint32_t queue_weight_max = 1000;

struct QueueOffer {
  std::string queue;
  std::uint32_t permits = 0;
  bool operator==(const QueueOffer&) const = default;
};

// Stride scheduling: each permit moves its queue's `pass` on by 1/weight, and the queue furthest
// behind is next (ties by name). A queue that had no work is brought forward to the others when it
// wakes, so idleness earns no credit. A queue is charged for what it is offered, also when its
// claim finds less: otherwise one wrong hint, offered and refunded for ever, would starve the
// others.
class QueuePolicy {
 public:
  // How many jobs of a queue are believed to be ready; a queue not named has none.
  using Waiting = std::map<std::string, std::uint64_t, std::less<>>;

  void set(QueueSpec spec);  // adds or changes
  void remove(std::string_view queue);
  const QueueSpec* find(std::string_view queue) const;
  std::vector<QueueSpec> all() const;

  bool takes_new(
      std::string_view queue) const;  // false for a closed queue and for one that is not there

  // Shares out at most `free` permits of the pool, in the order of names; never more to a queue
  // than it has waiting.
  std::vector<QueueOffer> offer(std::string_view pool, std::uint32_t free, const Waiting& waiting);

 private:
  struct Entry {
    QueueSpec spec;
    std::uint64_t pass = 0;
    bool awake = false;
  };

  std::map<std::string, Entry, std::less<>> queues_;
  std::map<std::string, std::uint64_t, std::less<>>
      front_;  // per pool: the pass of its latest permit
};

}  // namespace quell
