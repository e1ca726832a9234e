#include "actors/node/submission.hpp"

#include <algorithm>
#include <utility>

namespace quell {

std::vector<WriteOps> Submission::slices(std::vector<NewJob> jobs, std::size_t slice_max,
                                         Instant now, std::function<void(std::size_t)> settled,
                                         Answer answer) {
  auto all = std::make_shared<Submission>();
  all->results_.resize(jobs.size());
  all->slices_left_ = (jobs.size() + slice_max - 1) / slice_max;
  all->answer_ = std::move(answer);
  std::vector<WriteOps> slices;
  for (std::size_t first = 0; first < jobs.size(); first += slice_max) {
    auto ops = std::make_shared<storage::Batch>();
    const std::size_t count = std::min(slice_max, jobs.size() - first);
    ops->enqueues.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      storage::EnqueueOp op;
      op.job = std::move(jobs[first + i]);
      op.now = now;
      ops->enqueues.push_back(std::move(op));
    }
    slices.push_back(
        {std::move(ops), [all, first, count, settled](Result<storage::Outcome> outcome) {
           settled(count);
           all->written(first, std::move(outcome));
         }});
  }
  return slices;
}

void Submission::written(std::size_t first, Result<storage::Outcome> outcome) {
  std::unique_lock lock(mutex_);
  if (!outcome)
    error_ = outcome.error();
  else
    std::move(outcome->enqueues.begin(), outcome->enqueues.end(),
              results_.begin() + static_cast<std::ptrdiff_t>(first));
  if (--slices_left_ > 0) return;
  lock.unlock();
  if (error_) return answer_(*error_);
  answer_(std::move(results_));
}

}  // namespace quell
