#include "actors/node/busy_snapshot.hpp"

#include <atomic>

namespace quell {

namespace {
// A thread may serve several nodes in one process, one after the other (tests do). A snapshot is
// known by its number: a later one may lie at the same address.
std::atomic<std::uint64_t> snapshots_made{0};
thread_local std::uint64_t slot_owner = 0;
thread_local std::size_t slot_index = 0;
}  // namespace

BusySnapshot::BusySnapshot() : number_(++snapshots_made) {}

std::size_t BusySnapshot::my_slot() {
  if (slot_owner != number_) {
    const std::lock_guard lock(mutex_);
    slots_.emplace_back();
    slot_index = slots_.size() - 1;
    slot_owner = number_;
  }
  return slot_index;
}

BusySnapshot::Turn::Turn(BusySnapshot& snapshot, JobId job, const std::string& kind, Millis now)
    : snapshot_(snapshot), slot_(snapshot.my_slot()) {
  Slot& slot = snapshot_.slots_[slot_];
  const std::lock_guard lock(slot.mutex);
  slot.note.job = job;
  slot.note.kind = kind;
  slot.note.since = now;
  slot.note.busy = true;
}

BusySnapshot::Turn::~Turn() {
  Slot& slot = snapshot_.slots_[slot_];
  const std::lock_guard lock(slot.mutex);
  slot.note.busy = false;
}

std::vector<BusySnapshot::Note> BusySnapshot::busy_since(Millis before) const {
  std::vector<Note> notes;
  const std::lock_guard lock(mutex_);
  for (const Slot& slot : slots_) {
    const std::lock_guard slot_lock(slot.mutex);
    if (slot.note.busy && slot.note.since < before) notes.push_back(slot.note);
  }
  return notes;
}

std::size_t BusySnapshot::threads() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

}  // namespace quell
