#include "actors/runs/run_table.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/assert.hpp"
#include "runtime/law/job.hpp"

namespace quell {

Millis timeout_of(const Run& run) {
  if (run.options.empty()) return JobOptions{}.timeout;
  const JobOptions options = options_from_json(run.options);
  if (!options.deadline) return options.timeout;
  return std::min(options.timeout, std::max(Millis{0}, *options.deadline - run.started));
}

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

Run* RunTable::find_actor(std::uint64_t number) {
  const auto at = by_actor_.find(number);
  return at == by_actor_.end() ? nullptr : find(at->second);
}

void RunTable::bind_actor(Run& run, std::uint64_t number) {
  by_actor_.emplace(number, run.key);
  run.actor = number;
}

void RunTable::unbind_actor(Run& run) {
  if (run.actor == 0) return;
  by_actor_.erase(std::exchange(run.actor, 0));
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
