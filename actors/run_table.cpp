#include "actors/run_table.hpp"

#include <utility>

#include "runtime/assert.hpp"

namespace quell {

Run& RunTable::add(Run run) {
  const SlotKey key = run.key;
  const auto [at, fresh] = runs_.emplace(key, std::move(run));
  QUELL_ASSERT(fresh);
  return at->second;
}

Run* RunTable::find(const SlotKey& key) {
  const auto at = runs_.find(key);
  return at == runs_.end() ? nullptr : &at->second;
}

Run* RunTable::find_actor(caf::actor_id id) {
  const auto at = by_actor_.find(id);
  return at == by_actor_.end() ? nullptr : find(at->second);
}

void RunTable::bind_actor(Run& run, caf::actor actor) {
  by_actor_.emplace(actor.id(), run.key);
  run.actor = std::move(actor);
}

void RunTable::unbind_actor(Run& run) {
  if (!run.actor) return;
  by_actor_.erase(run.actor.id());
  run.actor = nullptr;
}

void RunTable::mark(Run& run) {
  if (!std::exchange(run.marked, true)) ++marked_;
}

void RunTable::remove(const SlotKey& key) {
  Run* run = find(key);
  if (run == nullptr) return;
  if (run->marked) --marked_;
  unbind_actor(*run);
  clear_deadline(*run);
  runs_.erase(key);
}

void RunTable::set_deadline(Run& run, Millis at) {
  clear_deadline(run);
  run.deadline = deadlines_.emplace(at, run.key);
}

void RunTable::clear_deadline(Run& run) {
  if (!run.deadline) return;
  deadlines_.erase(*run.deadline);
  run.deadline.reset();
}

std::optional<Millis> RunTable::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

Run* RunTable::overdue(Millis now) {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return nullptr;
  Run* run = find(deadlines_.begin()->second);
  QUELL_ASSERT(run != nullptr);
  clear_deadline(*run);
  return run;
}

}  // namespace quell
