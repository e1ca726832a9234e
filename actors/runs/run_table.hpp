// What the Foreman knows of each run on this node, found by job and epoch, by actor, or by the next
// deadline.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "actors/messages.hpp"
#include "runtime/policy/slot_ledger.hpp"

namespace quell {

struct Run {
  SlotKey key;
  const std::string* pool = nullptr;  // names live in the Foreman's table: 100,000 runs share them
  const std::string* queue = nullptr;
  int attempt = 1, lost = 0;
  std::string project = {};
  std::string options = {};  // JSON, "" when all defaults
  Instant started = {};
  RunPhase phase = RunPhase::claimed;
  std::optional<StopCause> cause = {};
  bool marked = false;      // a delete waits for it; set by RunTable::mark
  std::uint64_t actor = 0;  // its number; 0: it has none yet, or no more
  std::unique_ptr<RunEnded> end = {};
  std::optional<std::multimap<Millis, SlotKey>::iterator> deadline = {};
};

// The attempt's own time, cut short by the deadline of all attempts.
Millis timeout_of(const Run& run);

class RunTable {
 public:
  Run& add(Run run);
  Run* find(const SlotKey& key);
  Run* find_actor(std::uint64_t number);
  void bind_actor(Run& run, std::uint64_t number);
  void unbind_actor(Run& run);
  void mark(Run& run);
  void remove(const SlotKey& key);
  std::size_t size() const { return runs_.size(); }
  std::size_t unmarked() const { return runs_.size() - marked_; }
  auto begin() { return runs_.begin(); }
  auto end() { return runs_.end(); }

  void set_deadline(Run& run, Millis at);
  void clear_deadline(Run& run);
  std::optional<Millis> next_deadline() const;
  Run* overdue(Millis now);  // its deadline is cleared

 private:
  std::unordered_map<SlotKey, Run, SlotKeyHash> runs_;
  std::unordered_map<std::uint64_t, SlotKey> by_actor_;
  std::multimap<Millis, SlotKey> deadlines_;
  std::size_t marked_ = 0;
};

}  // namespace quell
