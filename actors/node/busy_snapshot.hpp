// Who holds each scheduler thread, and since when. A handler that computes or blocks can't be
// interrupted; it can be named.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"

namespace quell {

class BusySnapshot {
 public:
  struct Note {
    JobId job;
    std::string kind;
    Millis since{0};
    bool busy = false;
  };

  // Around one resume of a job's coroutine, on the thread that does it.
  class Turn {
   public:
    Turn(BusySnapshot& snapshot, JobId job, const std::string& kind, Millis now);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    BusySnapshot& snapshot_;
    std::size_t slot_;
  };

  BusySnapshot();

  std::vector<Note> busy_since(Millis before) const;  // held since before that moment
  std::size_t threads() const;                        // that ever ran a job

 private:
  std::size_t my_slot();

  struct Slot {
    mutable std::mutex mutex;
    Note note;
  };
  const std::uint64_t number_;
  mutable std::mutex mutex_;
  std::deque<Slot> slots_;
};

}  // namespace quell
