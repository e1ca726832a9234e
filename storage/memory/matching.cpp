#include "storage/memory/matching.hpp"

#include <algorithm>

namespace quell::storage::memory {

bool matches(const JobRow& job, const JobFilter& filter) {
  const auto& states = filter.states;
  const auto& tags = job.options.tags;
  return (filter.project.empty() || filter.project == job.project) &&
         (states.empty() || std::find(states.begin(), states.end(), job.state) != states.end()) &&
         (filter.queue.empty() || filter.queue == job.queue) &&
         (filter.kind.empty() || filter.kind == job.kind) &&
         (filter.tag.empty() || std::find(tags.begin(), tags.end(), filter.tag) != tags.end()) &&
         (filter.schedule.empty() || filter.schedule == job.options.schedule) &&
         (!filter.created_from || job.id.time() >= *filter.created_from) &&
         (!filter.created_before || job.id.time() < *filter.created_before);
}

bool is_asked_for(const ScheduleRow& row, const TaskMessage* message, const ScheduleQuery& query) {
  const bool is_tried = row.status == ScheduleStatus::pending_delete && message;
  const Instant stands_since = is_tried ? message->next_try : row.changed;
  return (query.project.empty() || query.project == row.project) &&
         (query.group.empty() || query.group == row.group) &&
         (!query.status || *query.status == row.status) &&
         (!query.after || row.id > *query.after) &&
         (!query.due_by ||
          (row.status == ScheduleStatus::active && row.wake && *row.wake <= *query.due_by)) &&
         (!query.leaving_since || (is_leaving(row.status) && stands_since < *query.leaving_since));
}

bool matches(const CopyRow& copy, const CopyQuery& query) {
  const auto is = [](const std::string& wanted, const std::string& found) {
    return wanted.empty() || wanted == found;
  };
  return copy.until > query.now && is(query.project, copy.job.project) &&
         is(query.queue, copy.job.queue) && is(query.kind, copy.job.kind) &&
         (query.was.empty() ||
          std::find(query.was.begin(), query.was.end(), copy.was) != query.was.end()) &&
         (!query.delete_id || *query.delete_id == copy.delete_id);
}

TicketView ticket_view(const JobId& id, const TicketRow& row) {
  return {id,        row.delete_id, row.state, row.was,      row.who,      row.reason,
          row.error, row.at,        row.tries, row.next_try, open_of(row), row.forced};
}

}  // namespace quell::storage::memory
