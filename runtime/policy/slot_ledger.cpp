#include "runtime/policy/slot_ledger.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace quell {

SlotLedger::SlotLedger(Count capacity) : capacity_(capacity), free_(capacity) {
  check();
}

SlotLedger::Count SlotLedger::take(Count wanted) {
  const Count taken = std::min(wanted, free_);
  free_ -= taken;
  offered_ += taken;
  check();
  return taken;
}

void SlotLedger::bind(const SlotKey& key) {
  QUELL_ASSERT(offered_ > 0);
  QUELL_ASSERT(!holds(key));
  --offered_;
  held_.insert(key);
  check();
}

void SlotLedger::return_offered(Count count) {
  QUELL_ASSERT(count <= offered_);
  offered_ -= count;
  const Count absorbed = std::min(count, excess_);
  excess_ -= absorbed;
  free_ += count - absorbed;
  check();
}

bool SlotLedger::take_for(const SlotKey& key) {
  if (take(1) == 0) return false;
  bind(key);
  return true;
}

void SlotLedger::give_back(const SlotKey& key) {
  const bool was_out = held_.erase(key) == 1 || ghosts_.erase(key) == 1;
  QUELL_ASSERT(was_out);
  settle_one();
  check();
}

void SlotLedger::mark_stuck(const SlotKey& key) {
  QUELL_ASSERT(held_.erase(key) == 1);
  ghosts_.insert(key);
  check();
}

void SlotLedger::resize(Count capacity) {
  capacity_ = capacity;
  const Count out = used() + stuck();
  free_ = capacity > out ? capacity - out : 0;
  excess_ = out > capacity ? out - capacity : 0;
  check();
}

void SlotLedger::settle_one() {
  if (excess_ > 0)
    --excess_;
  else
    ++free_;
}

// The counters are kept by steps and the sets by membership, so the sum compares two independent
// accounts.
void SlotLedger::check() const {
  QUELL_ASSERT(free_ == 0 || excess_ == 0);
  QUELL_ASSERT(std::uint64_t{free_} + used() + stuck() == std::uint64_t{capacity_} + excess_);
}

}  // namespace quell
