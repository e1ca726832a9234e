#include "actors/writes/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/assert.hpp"

namespace quell {

namespace {
// A hint says that there is work, not how much; a claim that comes back short ends it.
constexpr std::uint64_t plenty = 1'000'000;
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
  if (spec.paused) return;
  ready_[spec.pool].insert(queue);
  hinted_.insert(queue);
}

void Dispatcher::everything_may_have_work() {
  for (const QueueSpec& spec : policy_.all()) may_have_work(spec.name);
}

void Dispatcher::limits_may_have_room() {
  for (const std::string& queue : std::exchange(held_, {})) may_have_work(queue);
  hinted_.insert(asked_.begin(), asked_.end());  // it may have counted what has ended since
}

bool Dispatcher::limited(const std::string& queue) const {
  const QueueSpec* spec = policy_.find(queue);
  return spec != nullptr && spec->limits.any();
}

bool Dispatcher::wants_claim() const {
  return could_claim() > 0;
}

int Dispatcher::could_claim(bool limited) const {
  int sum = 0;
  if (closed_) return sum;
  for (const auto& [pool, queues] : ready_) {
    const auto have = permits_.find(pool);
    if (have == permits_.end() || have->second <= 0) continue;
    if (std::any_of(queues.begin(), queues.end(),
                    [&](const std::string& queue) { return limited || !this->limited(queue); }))
      sum += have->second;
  }
  return sum;
}

std::vector<storage::ClaimOp> Dispatcher::claims(const storage::NodeLife& owner, Instant now,
                                                 const Wanted& wanted) {
  std::vector<storage::ClaimOp> claims;
  if (closed_) return claims;
  for (const auto& [pool, queues] : ready_) {
    int& have = permits_[pool];
    if (queues.empty() || have <= 0) continue;
    QueuePolicy::Waiting waiting;
    for (const std::string& queue : queues)
      if (wanted.limited || !limited(queue)) waiting.emplace(queue, plenty);
    const auto share = static_cast<std::uint32_t>(std::min(have, wanted.most));
    for (const QueueOffer& offer : policy_.offer(pool, share, waiting)) {
      if (offer.permits == 0) continue;
      const int limit = static_cast<int>(offer.permits);
      have -= limit;
      hinted_.erase(offer.queue);
      if (limited(offer.queue)) asked_.insert(offer.queue);
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
  asked_.erase(claim.queue);
  const std::string& pool = pool_of(claim.queue);
  permits_[pool] += claim.limit - used;
  // An older claim that came back short may have ended the hint.
  if (used == claim.limit && !known(claim.queue).paused) ready_[pool].insert(claim.queue);
  if (used == claim.limit || hinted_.contains(claim.queue)) return;
  ready_[pool].erase(claim.queue);
  if (claim.limits.any()) held_.insert(claim.queue);
}

void Dispatcher::claim_failed(const storage::ClaimOp& claim) {
  const QueueSpec& queue = known(claim.queue);
  asked_.erase(claim.queue);
  permits_[queue.pool] += claim.limit;
  if (!queue.paused) ready_[queue.pool].insert(claim.queue);
}

}  // namespace quell
