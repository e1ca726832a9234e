// A pool that loses one permit a day is full after a month. Every permit of a pool is in exactly
// one place here, each change is checked, and a permit can come back only once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include "runtime/base/id.hpp"

namespace quell {

// A run is a job under one epoch: a late word about an earlier run can never move a later run's
// permit.
struct SlotKey {
  JobId job;
  std::int64_t epoch = 0;
  bool operator==(const SlotKey&) const = default;
};

struct SlotKeyHash {
  std::size_t operator()(const SlotKey& key) const noexcept {
    return std::hash<Uuid>{}(key.job) ^ (static_cast<std::size_t>(key.epoch) * 0x9e3779b97f4a7c15u);
  }
};

// One pool's permits. A permit is free, offered (taken for a claim that is out), held by a run, or
// stuck (its job was erased by force while the run was not down: the ghost keeps the place). used =
// offered + held. Law: free = max(0, capacity - used - stuck); as long as the pool was not shrunk
// below what is out, that is free + used + stuck = capacity.
class SlotLedger {
 public:
  using Count = std::uint32_t;

  explicit SlotLedger(Count capacity);

  Count capacity() const { return capacity_; }
  Count free() const { return free_; }
  Count used() const { return offered_ + static_cast<Count>(held_.size()); }
  Count stuck() const { return static_cast<Count>(ghosts_.size()); }
  Count offered() const { return offered_; }

  // Takes up to `wanted` permits for a claim about to go out; says how many it got.
  Count take(Count wanted);
  // A claim came back: one offered permit now belongs to this run.
  void bind(const SlotKey& key);
  // A claim came back smaller than what was offered for it.
  void return_offered(Count count);
  // take(1) and bind in one, for a run that needs no claim.
  bool take_for(const SlotKey& key);

  // The run is down, stuck or not. Asserts that it held a permit: a second return of one run is our
  // fault.
  void give_back(const SlotKey& key);
  // The job's row is gone but its run is not: used becomes stuck until give_back.
  void mark_stuck(const SlotKey& key);

  // Shrinking below what is out leaves free = 0 and absorbs returns until the pool fits.
  void resize(Count capacity);

  bool holds(const SlotKey& key) const { return held_.contains(key) || ghosts_.contains(key); }
  bool is_stuck(const SlotKey& key) const { return ghosts_.contains(key); }

 private:
  void settle_one();
  void check() const;

  Count capacity_;
  Count free_;
  Count offered_ = 0;
  Count excess_ = 0;  // permits out beyond the capacity, after a shrink
  std::unordered_set<SlotKey, SlotKeyHash> held_;
  std::unordered_set<SlotKey, SlotKeyHash> ghosts_;
};

}  // namespace quell
