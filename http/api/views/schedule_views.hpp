// Schedules as JSON, the way API clients see them.
#pragma once

#include <string>
#include <vector>

#include "actors/schedules/task_delete.hpp"
#include "http/server/message.hpp"
#include "storage/schedules.hpp"

namespace quell::http {

void append_schedule(std::string& out, const storage::ScheduleRow& row);
std::string next_fires_json(const storage::ScheduleRow& row, Instant now, std::size_t count);
// As the service before this one answered, and more when there is more to say.
Response task_delete_response(const std::string& task, const TaskDeleteReport& report);
// Of a group, which each of its schedules is counted in once.
Response group_delete_response(const TasksOrdered& ordered);

}  // namespace quell::http
