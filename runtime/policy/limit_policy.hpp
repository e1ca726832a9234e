// Who may start when a queue has limits. The stores count what runs and what waits, ask here, and
// write what was decided in the same transaction: so a limit holds over all nodes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/policy/queue_limits.hpp"

namespace quell {

// How many of the wanted permits the queue's own limits leave.
int permits_left(const QueueLimits& limits, int wanted, std::int64_t running,
                 const std::optional<TokenBucket>& bucket, Instant now);

struct KeyDemand {
  std::string key;  // "" for the jobs without one: they take turns as one key, and none limits them
  std::int64_t waiting = 0;
  std::int64_t running = 0;
  std::optional<TokenBucket> bucket = {};
};

// How many jobs of the key may start, however many permits there are.
int room_of(const QueueLimits& limits, const KeyDemand& key, Instant now);

// By turns, one each, in the order given, until the permits or all room is gone.
std::vector<int> share_out(int permits, const std::vector<int>& room);

// The one who was served last: the next round begins behind it. When nobody was, everybody had a
// look, and it is the last of them. Of at least one.
std::size_t last_served(const std::vector<int>& shares);

// How many keys one claim looks at, at most: enough to use its permits, and to get on past keys
// that are at their limit.
int keys_to_look_at(int permits);

}  // namespace quell
