// Whom the group commit speaks to: actors in a node, lists in a test.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>

#include "actors/messages.hpp"

namespace quell {

class CommitPorts {
 public:
  using ToForeman = std::variant<ClaimedJobs, StopMarked, CancelRun, ForcedRun, FinishesWritten,
                                 VerdictsWritten, PermitsBack, RunsCounted, CensusTaken>;
  using ToCourier = std::variant<MarkedDeliveries, DeliveriesDue, VerdictsWritten>;
  using ToDeleter = std::variant<SliceMarked, JobsVerdict>;

  CommitPorts() = default;
  CommitPorts(const CommitPorts&) = delete;
  CommitPorts& operator=(const CommitPorts&) = delete;
  virtual ~CommitPorts() = default;

  virtual void tell_foreman(ToForeman word) = 0;
  virtual void tell_courier(ToCourier word) = 0;
  virtual void tell_deleter(ToDeleter word) = 0;
  virtual void look_at_schedules() = 0;  // the Timekeeper
  virtual void look_at_tasks() = 0;      // the TaskEraser

  // On the connection of that number, beside what else goes on; answered by
  // `GroupCommit::applied_alongside`.
  virtual void apply(std::size_t writer, std::shared_ptr<const storage::Batch> batch) = 0;

  virtual void flush_later() = 0;  // `commit`, when what waits now has been handled
  virtual void flush_in(Millis time) = 0;
  virtual void look_at_limits_in(Millis time) = 0;
  virtual void due_in(Millis time) = 0;  // takes the place of the last one
  virtual void upkeep_in(Millis time) = 0;
};

}  // namespace quell
