#include "storage/schedule_jobs.hpp"

#include <algorithm>

namespace quell::storage {

namespace {
constexpr int page_size = 500;
}

Result<std::vector<JobId>> jobs_of_schedule(Reader& reader, const Uuid& task, bool with_ended,
                                            std::size_t most) {
  ListQuery query;
  query.filter.schedule = task.text();
  if (!with_ended)
    query.filter.states = {JobState::scheduled, JobState::queued, JobState::running,
                           JobState::pending_delete, JobState::delete_failed};
  query.limit = page_size;
  std::vector<JobId> ids;
  while (ids.size() < most) {
    const auto page = reader.list(query);
    if (!page) return page.error();
    for (const JobView& job : page->jobs) ids.push_back(job.id);
    if (!page->next) break;
    query.after = page->next;
  }
  return ids;
}

}  // namespace quell::storage
