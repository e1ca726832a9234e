// Schedules, and the orders to delete one.
#pragma once

#include "storage/postgres/connection/connection.hpp"
#include "storage/reader.hpp"

namespace quell::storage::postgres {

std::optional<ScheduleRow> read_schedule(Connection& db, Uuid id);
std::vector<ScheduleRow> read_schedules(Connection& db, const ScheduleQuery& query);
std::optional<Instant> read_next_wake(Connection& db);
std::vector<TaskMessage> read_task_messages(Connection& db, std::optional<Uuid> only,
                                            Instant due_by, int limit);

}  // namespace quell::storage::postgres
