#include "runtime/policy/queue_policy.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/assert.hpp"

namespace quell {

namespace {
// Divisible by every weight up to 10, and large against the greatest weight, so that rounding stays
// invisible; small enough that 64 bits last for 7e12 permits, years of the fastest drain.
constexpr std::uint64_t stride_of_weight_one = 2520ull * 1000ull;

std::uint64_t stride(const QueueSpec& spec) {
  return stride_of_weight_one / spec.weight;
}
}  // namespace

void QueuePolicy::set(QueueSpec spec) {
  QUELL_ASSERT(spec.weight >= 1 && spec.weight <= queue_weight_max);
  Entry& entry = queues_[spec.name];
  if (entry.spec.pool != spec.pool) entry.awake = false;  // its pass counted in another pool's time
  entry.spec = std::move(spec);
}

void QueuePolicy::remove(std::string_view queue) {
  if (const auto found = queues_.find(queue); found != queues_.end()) queues_.erase(found);
}

const QueueSpec* QueuePolicy::find(std::string_view queue) const {
  const auto found = queues_.find(queue);
  return found == queues_.end() ? nullptr : &found->second.spec;
}

std::vector<QueueSpec> QueuePolicy::all() const {
  std::vector<QueueSpec> specs;
  for (const auto& [name, entry] : queues_) specs.push_back(entry.spec);
  return specs;
}

bool QueuePolicy::takes_new(std::string_view queue) const {
  const QueueSpec* spec = find(queue);
  return spec != nullptr && !spec->closed;
}

std::vector<QueueOffer> QueuePolicy::offer(std::string_view pool, std::uint32_t free,
                                           const Waiting& waiting) {
  struct Candidate {
    Entry* entry;
    std::uint64_t wants;
    std::uint32_t gets = 0;
  };
  if (front_.find(pool) == front_.end()) front_.emplace(pool, 0);
  std::uint64_t& front = front_.find(pool)->second;
  std::vector<Candidate> candidates;  // in the order of names, as the map is
  for (auto& [name, entry] : queues_) {
    if (entry.spec.pool != pool) continue;
    const auto hint = waiting.find(name);
    const std::uint64_t wants = hint == waiting.end() || entry.spec.paused ? 0 : hint->second;
    if (wants > 0 && !entry.awake) entry.pass = std::max(entry.pass, front);
    entry.awake = wants > 0;
    if (wants > 0) candidates.push_back({&entry, wants});
  }
  for (; free > 0; --free) {
    Candidate* next = nullptr;
    for (Candidate& candidate : candidates)
      if (candidate.gets < candidate.wants &&
          (next == nullptr || candidate.entry->pass < next->entry->pass))
        next = &candidate;
    if (next == nullptr) break;
    ++next->gets;
    front = std::max(front, next->entry->pass);
    next->entry->pass += stride(next->entry->spec);
  }
  std::vector<QueueOffer> offers;
  for (const Candidate& candidate : candidates) {
    // What it lagged behind while it wanted no more is not a debt of the others.
    if (candidate.gets == candidate.wants) candidate.entry->awake = false;
    if (candidate.gets > 0) offers.push_back({candidate.entry->spec.name, candidate.gets});
  }
  return offers;
}

}  // namespace quell
