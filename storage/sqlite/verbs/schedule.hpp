// Schedules: put, fire, and the steps of their delete.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"
#include "storage/sqlite/verbs/delivery.hpp"
#include "storage/sqlite/verbs/enqueue.hpp"
#include "storage/sqlite/verbs/steer.hpp"

namespace quell::storage::sqlite {

class Schedules {
 public:
  Schedules(SqliteSession& session, Steer& steer, Enqueue& enqueue, Deliveries& deliveries);
  SchedulePutResult apply(const SchedulePutOp& op);
  FireResult apply(const FireOp& op);
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
  std::optional<Head> look(const Uuid& task);
  std::vector<JobId> living(const Uuid& task);
  bool runs_on(const Uuid& task);
  void fired(const FireOp& op, const Head& head, FireResult& result, bool waits,
             std::optional<Instant> last);
  void say(const std::optional<AuditOp>& audit);
  void stop_firing(const Uuid& task, Instant now);
  void publish(const TaskMessage& message, const std::string& project);
  std::optional<JobsOfTask> join(TaskMessage message, const Head& head);
  bool again(const TaskWordOp& op);

  SqliteSession& session_;
  Steer& steer_;
  Enqueue& enqueue_;
  Deliveries& deliveries_;
  Statement look_, add_, change_, reword_, living_, leaving_, moved_, counted_, stop_, publish_,
      ordered_, lease_, retry_, fail_, park_, again_, acknowledge_, message_, remove_;
};

}  // namespace quell::storage::sqlite
