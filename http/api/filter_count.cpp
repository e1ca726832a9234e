#include "http/api/filter_count.hpp"

namespace quell::http {

namespace {

constexpr int page_jobs = 2'000, pages_at_once = 5;

struct Counting {
  RequestPtr call;
  storage::ListQuery query;
  FilterCount count;
  std::function<void(const FilterCount&)> then;
};

void go_on(const std::shared_ptr<Counting>& counting) {
  counting->call->read([counting](storage::Reader& reader) {
    for (int i = 0; i < pages_at_once; ++i) {
      const Result<storage::MatchPage> page = reader.match(counting->query);
      if (!page) return counting->call->fail(page.error());
      for (const storage::FoundByFilter& job : page->jobs) counting->count.add(job);
      if (!page->next) return counting->call->post([counting] { counting->then(counting->count); });
      counting->query.after = page->next;
    }
    counting->call->post([counting] { go_on(counting); });
  });
}

}  // namespace

void FilterCount::add(const storage::FoundByFilter& job) {
  total += 1;
  by_state[job.state] += 1;
  const bool runs = job.state == JobState::running;
  auto& sample = runs ? running : others;
  if (sample.size() < preview_sample_max) sample.push_back(job);
  auto at = groups.find({job.queue, job.kind});
  if (at == groups.end()) {
    if (groups.size() == preview_groups_max) {
      groups_are_cut = true;
      return;
    }
    at = groups.try_emplace({job.queue, job.kind}).first;
  }
  at->second.n += 1;
  at->second.running += runs ? 1 : 0;
}

void count_matches(const RequestPtr& call, const storage::JobFilter& filter,
                   std::function<void(const FilterCount&)> then) {
  auto counting = std::make_shared<Counting>();
  counting->call = call;
  counting->query.filter = filter;
  counting->query.limit = page_jobs;
  counting->then = std::move(then);
  go_on(counting);
}

}  // namespace quell::http
