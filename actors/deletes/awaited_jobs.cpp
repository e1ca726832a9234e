#include "actors/deletes/awaited_jobs.hpp"

#include <algorithm>

namespace quell {

namespace {
// A commit whose answer was lost is repeated within so long, and then its word comes.
constexpr Millis own_word_patience{3'000};
}  // namespace

void AwaitedJobs::held_by(JobId job, const std::vector<storage::Holder>& holders) {
  const auto at = jobs_.find(job);
  if (at == jobs_.end()) return;
  for (const storage::Holder& holder : holders)
    if (holder.owner == self_) at->second.own_words.insert(holder.ref);
}

void AwaitedJobs::note_verdict(JobId job, const storage::VerdictOp& verdict) {
  const auto at = jobs_.find(job);
  if (at != jobs_.end() && verdict.owner == self_) at->second.own_words.erase(verdict.ref);
}

AwaitedJobs::Calls AwaitedJobs::calls_of(JobId job) const {
  const auto at = jobs_.find(job);
  return at == jobs_.end() ? Calls{} : at->second.calls;
}

std::vector<JobId> AwaitedJobs::next_slice(std::size_t max) {
  std::vector<JobId> jobs;
  while (jobs.size() < max && !round_.empty()) {
    if (jobs_.contains(round_.back())) jobs.push_back(round_.back());
    round_.pop_back();
  }
  if (!jobs.empty()) return jobs;
  for (const auto& [job, awaited] : jobs_) round_.push_back(job);
  const auto first = round_.size() - std::min(max, round_.size());
  jobs.assign(round_.begin() + static_cast<std::ptrdiff_t>(first), round_.end());
  round_.resize(first);
  return jobs;
}

bool AwaitedJobs::believes_gone(JobId job, Millis now) {
  const auto at = jobs_.find(job);
  if (at == jobs_.end() || at->second.own_words.empty()) return true;
  if (!at->second.seen_gone) at->second.seen_gone = now;
  return now - *at->second.seen_gone >= own_word_patience;
}

}  // namespace quell
