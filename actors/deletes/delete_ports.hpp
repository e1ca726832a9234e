// Whom the supervisor of deletes speaks to: actors in a node, lists in a test.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "actors/messages.hpp"
#include "actors/timers.hpp"

namespace quell {

class DeletePorts {
 public:
  using CallNumber = std::uint64_t;  // of a call that is open; 0: of none
  using Reminder = std::variant<MarkAgain, WaitOver, MarkOverdue, LookAtStore>;

  DeletePorts() = default;
  DeletePorts(const DeletePorts&) = delete;
  DeletePorts& operator=(const DeletePorts&) = delete;
  virtual ~DeletePorts() = default;

  // The Clerk. What overtakes what waits there says so.
  virtual void mark(MarkJobs mark) = 0;                               // overtakes; → `marked`
  virtual void write(std::shared_ptr<storage::Batch> ops) = 0;        // nobody waits for it
  virtual void write_first(std::shared_ptr<storage::Batch> ops) = 0;  // overtakes
  virtual void pass_on(storage::Orders orders) = 0;                   // overtakes
  // A commit behind what was read; overtakes. → `read_fenced`
  virtual void fence(std::shared_ptr<storage::Batch> ops, std::vector<storage::Tombstone> read) = 0;
  // Overtakes. → `tickets_forced`
  virtual void force(CallNumber call, std::shared_ptr<storage::Batch> ops) = 0;

  // A reader.
  virtual void read_states(CallNumber call, std::vector<JobId> jobs) = 0;  // → `states_read`
  virtual void read_tickets(const DeleteId& id, Instant now,
                            std::shared_ptr<const RetryDelete> retry,
                            std::shared_ptr<const ForceDelete> force) = 0;  // → `tickets_read`

  virtual Timers::Id remind(Millis time, Reminder of) = 0;
  virtual void forget(const Timers::Id& reminder) = 0;
};

}  // namespace quell
