#include "runtime/policy/limit_policy.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace quell {

namespace {

std::int64_t tokens_now(const Rate& rate, const std::optional<TokenBucket>& bucket, Instant now) {
  return tokens_in(rate, refilled(rate, bucket, now));
}

}  // namespace

int permits_left(const QueueLimits& limits, int wanted, std::int64_t running,
                 const std::optional<TokenBucket>& bucket, Instant now) {
  std::int64_t left = wanted;
  if (limits.concurrency > 0) left = std::min(left, limits.concurrency - running);
  if (limits.rate.is_set()) left = std::min(left, tokens_now(limits.rate, bucket, now));
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

int room_of(const QueueLimits& limits, const KeyDemand& key, Instant now) {
  std::int64_t room = std::min<std::int64_t>(key.waiting, concurrency_max);
  if (!key.key.empty()) {
    if (limits.per_key > 0) room = std::min(room, limits.per_key - key.running);
    if (limits.key_rate.is_set())
      room = std::min(room, tokens_now(limits.key_rate, key.bucket, now));
  }
  return static_cast<int>(std::max<std::int64_t>(room, 0));
}

std::vector<int> share_out(int permits, const std::vector<int>& room) {
  std::vector<int> shares(room.size(), 0);
  for (bool anyone = true; anyone && permits > 0;) {
    anyone = false;
    for (std::size_t i = 0; i < room.size() && permits > 0; ++i) {
      if (shares[i] == room[i]) continue;
      ++shares[i];
      --permits;
      anyone = true;
    }
  }
  return shares;
}

std::size_t last_served(const std::vector<int>& shares) {
  QUELL_ASSERT(!shares.empty());
  // The highest share was completed in the last round, by the last who has it.
  std::size_t last = 0;
  for (std::size_t i = 1; i < shares.size(); ++i)
    if (shares[i] >= shares[last]) last = i;
  return last;
}

int keys_to_look_at(int permits) {
  return 4 * permits + 100;
}

}  // namespace quell
