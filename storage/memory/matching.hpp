// Which row of the memory store a query means: each filter as one sentence, next to no other.
#pragma once

#include "storage/memory/tables.hpp"
#include "storage/reader.hpp"

namespace quell::storage::memory {

bool matches(const JobRow& job, const JobFilter& filter);
bool matches(const CopyRow& copy, const CopyQuery& query);
// `message`: of its delete, if there is one.
bool is_asked_for(const ScheduleRow& row, const TaskMessage* message, const ScheduleQuery& query);
TicketView ticket_view(const JobId& id, const TicketRow& row);

}  // namespace quell::storage::memory
