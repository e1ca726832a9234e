// Schedules, and the orders to delete one.
#pragma once

#include "storage/reader.hpp"
#include "storage/sqlite/connection/statement.hpp"

namespace quell::storage::sqlite {

class ScheduleReads {
 public:
  explicit ScheduleReads(Connection& db);
  std::optional<ScheduleRow> schedule(Uuid id);
  std::vector<ScheduleRow> schedules(const ScheduleQuery& query);
  std::optional<Instant> next_wake();
  std::vector<TaskMessage> messages(std::optional<Uuid> only, Instant due_by, int limit);

 private:
  Statement one_, listed_, due_, leaving_, next_wake_, message_, messages_;
};

}  // namespace quell::storage::sqlite
