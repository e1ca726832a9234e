// Runs that had ended here before a mark of another node was heard of: the store took the mark
// first, so their finish was not written, and the mark's order is still on its way. Whoever asks
// then is told how they ended, and not that they never ran.
#pragma once

#include <unordered_map>
#include <utility>

#include "runtime/base/id.hpp"
#include "runtime/policy/slot_ledger.hpp"
#include "runtime/policy/stop_policy.hpp"

namespace quell {

class LostEnds {
 public:
  void note(const SlotKey& key, RunPhase phase) { fresh_.insert_or_assign(key, phase); }

  RunPhase phase_of(const SlotKey& key) const {
    for (const Ends* ends : {&fresh_, &older_})
      if (const auto at = ends->find(key); at != ends->end()) return at->second;
    return RunPhase::unknown;
  }

  // A renewal lists every open order. What was noted before the one before it, nobody asks for any
  // more: its job was declared dead, or the finish had been written by a commit that was not heard
  // of.
  void renewed() { older_ = std::exchange(fresh_, {}); }

  std::size_t size() const { return fresh_.size() + older_.size(); }

 private:
  using Ends = std::unordered_map<SlotKey, RunPhase, SlotKeyHash>;
  Ends fresh_, older_;
};

}  // namespace quell
