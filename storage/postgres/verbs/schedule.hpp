// Schedules: put, fire, and the steps of their delete.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "storage/postgres/verbs/delivery.hpp"
#include "storage/postgres/verbs/enqueue.hpp"
#include "storage/postgres/verbs/steer.hpp"

namespace quell::storage::postgres {

class Schedules {
 public:
  Schedules(WorkingSet& rows, Steer& steer, Enqueue& enqueue, Deliveries& deliveries)
      : session_(rows.session()),
        rows_(rows),
        steer_(steer),
        enqueue_(enqueue),
        deliveries_(deliveries) {}
  SchedulePutResult apply(const SchedulePutOp& op);
  std::vector<FireResult> apply(const std::vector<FireOp>& ops);
  TaskDeleteResult apply(const TaskDeleteOp& op);
  bool apply(const TaskWordOp& op);
  bool apply(const TaskEraseOp& op);

 private:
  struct Head {
    ScheduleStatus status = ScheduleStatus::active;
    std::int64_t version = 0;
    std::string project, name;
    std::optional<Instant> next, waiting;
  };
  struct Fire;
  std::map<Uuid, Head> lock(const std::vector<Uuid>& tasks);
  std::optional<Head> lock(const Uuid& task);
  // Fires of different schedules.
  void fire(const std::vector<Fire>& fires);
  std::map<Uuid, std::vector<JobId>> living(const std::vector<Fire>& fires);
  std::set<Uuid> running_on(const std::vector<Fire>& fires);
  void cancel_old(const std::vector<Fire>& fires, const std::map<Uuid, std::vector<JobId>>& lives);
  void write(const std::vector<Fire>& fires);
  void tell(const Fire& fire, const Head& head);
  std::optional<JobsOfTask> join(TaskMessage message, const Head& head);
  void say(const std::optional<AuditOp>& audit);
  void order_by(const TaskMessage& message, const std::string& project);

  PgSession& session_;
  WorkingSet& rows_;
  Steer& steer_;
  Enqueue& enqueue_;
  Deliveries& deliveries_;
};

}  // namespace quell::storage::postgres
