#include "actors/busy_board.hpp"

#include <atomic>

namespace quell {

namespace {
// A thread may serve several nodes in one process, one after the other (tests do). A board is known
// by its number: a later one may lie at the same address.
std::atomic<std::uint64_t> boards_made{0};
thread_local std::uint64_t slot_owner = 0;
thread_local std::size_t slot_index = 0;
}  // namespace

BusyBoard::BusyBoard() : number_(++boards_made) {}

std::size_t BusyBoard::my_slot() {
  if (slot_owner != number_) {
    const std::lock_guard lock(mutex_);
    slots_.emplace_back();
    slot_index = slots_.size() - 1;
    slot_owner = number_;
  }
  return slot_index;
}

BusyBoard::Turn::Turn(BusyBoard& board, JobId job, const std::string& kind, Millis now)
    : board_(board), slot_(board.my_slot()) {
  Slot& slot = board_.slots_[slot_];
  const std::lock_guard lock(slot.mutex);
  slot.note.job = job;
  slot.note.kind = kind;
  slot.note.since = now;
  slot.note.busy = true;
}

BusyBoard::Turn::~Turn() {
  Slot& slot = board_.slots_[slot_];
  const std::lock_guard lock(slot.mutex);
  slot.note.busy = false;
}

std::vector<BusyBoard::Note> BusyBoard::busy_since(Millis before) const {
  std::vector<Note> notes;
  const std::lock_guard lock(mutex_);
  for (const Slot& slot : slots_) {
    const std::lock_guard slot_lock(slot.mutex);
    if (slot.note.busy && slot.note.since < before) notes.push_back(slot.note);
  }
  return notes;
}

std::size_t BusyBoard::threads() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

}  // namespace quell
