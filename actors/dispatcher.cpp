#include "actors/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "runtime/assert.hpp"

namespace quell {

namespace {
// A hint says that there is work, not how much; a claim that comes back short ends it.
constexpr std::uint64_t plenty = 1'000'000;
// One claim is one slice of a transaction: steering work must not wait behind a huge one.
constexpr int claim_max = 1'000;
}  // namespace

const QueueSpec& Dispatcher::known(const std::string& queue) {
  const QueueSpec* spec = policy_.find(queue);
  if (spec == nullptr) {
    policy_.set({.name = queue});
    spec = policy_.find(queue);
  }
  QUELL_ASSERT(spec != nullptr);
  return *spec;
}

const std::string& Dispatcher::pool_of(const std::string& queue) {
  return known(queue).pool;
}

void Dispatcher::set_queue(const QueueSpec& spec) {
  for (auto& [pool, queues] : ready_) queues.erase(spec.name);
  policy_.set(spec);
  if (!spec.paused) may_have_work(spec.name);
}

void Dispatcher::add_permits(const std::string& pool, int count) {
  permits_[pool] += count;
}

int Dispatcher::recall(const std::string& pool, int count) {
  int& have = permits_[pool];
  const int back = std::min(have, count);
  have -= back;
  return back;
}

void Dispatcher::may_have_work(const std::string& queue) {
  const QueueSpec& spec = known(queue);
  if (!spec.paused) ready_[spec.pool].insert(queue);
}

void Dispatcher::everything_may_have_work() {
  for (const QueueSpec& spec : policy_.all()) may_have_work(spec.name);
}

void Dispatcher::limits_may_have_room() {
  for (const std::string& queue : std::exchange(held_, {})) may_have_work(queue);
}

bool Dispatcher::wants_claim() const {
  if (closed_) return false;
  return std::any_of(ready_.begin(), ready_.end(), [this](const auto& entry) {
    const auto have = permits_.find(entry.first);
    return !entry.second.empty() && have != permits_.end() && have->second > 0;
  });
}

std::vector<storage::ClaimOp> Dispatcher::claims(const storage::NodeLife& owner, Instant now) {
  std::vector<storage::ClaimOp> claims;
  if (closed_) return claims;
  for (const auto& [pool, queues] : ready_) {
    int& have = permits_[pool];
    if (queues.empty() || have <= 0) continue;
    QueuePolicy::Waiting waiting;
    for (const std::string& queue : queues) waiting.emplace(queue, plenty);
    const auto share = static_cast<std::uint32_t>(std::min(have, claim_max));
    for (const QueueOffer& offer : policy_.offer(pool, share, waiting)) {
      if (offer.permits == 0) continue;
      const int limit = static_cast<int>(offer.permits);
      have -= limit;
      claims.push_back({.queue = offer.queue,
                        .limit = limit,
                        .owner = owner,
                        .now = now,
                        .limits = known(offer.queue).limits});
    }
  }
  return claims;
}

void Dispatcher::claimed(const storage::ClaimOp& claim, std::size_t got) {
  const int used = static_cast<int>(got);
  QUELL_ASSERT(used <= claim.limit);
  const std::string& pool = pool_of(claim.queue);
  permits_[pool] += claim.limit - used;
  if (used == claim.limit) return;
  ready_[pool].erase(claim.queue);
  if (claim.limits.any()) held_.insert(claim.queue);
}

void Dispatcher::claim_failed(const storage::ClaimOp& claim) {
  permits_[pool_of(claim.queue)] += claim.limit;
}

}  // namespace quell
