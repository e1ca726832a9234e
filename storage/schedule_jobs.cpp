#include "storage/schedule_jobs.hpp"

#include <algorithm>

namespace quell::storage {

namespace {

constexpr int page_size = 500;

ListQuery jobs_query(const Uuid& task, bool with_ended) {
  ListQuery query;
  query.filter.schedule = task.text();
  if (!with_ended)
    query.filter.states = {JobState::scheduled, JobState::queued, JobState::running,
                           JobState::pending_delete, JobState::delete_failed};
  query.limit = page_size;
  return query;
}

}  // namespace

Result<std::vector<JobId>> jobs_of_schedule(Reader& reader, const Uuid& task, bool with_ended,
                                            std::size_t most) {
  ListQuery query = jobs_query(task, with_ended);
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

Result<std::uint64_t> count_of_schedule(Reader& reader, const Uuid& task, bool with_ended,
                                        std::uint64_t most) {
  ListQuery query = jobs_query(task, with_ended);
  std::uint64_t jobs = 0;
  while (jobs < most) {
    const auto page = reader.match(query);
    if (!page) return page.error();
    jobs += page->jobs.size();
    if (!page->next) break;
    query.after = page->next;
  }
  return jobs;
}

}  // namespace quell::storage
