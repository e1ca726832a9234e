#include "actors/deletes/restore_call.hpp"

#include <algorithm>

#include "actors/node/reader_pool.hpp"
#include "actors/send.hpp"
#include "actors/writes/kept_until.hpp"

namespace quell {

namespace {

constexpr int page_size = 500;

}  // namespace

std::string_view to_string(storage::RestoreAnswer answer) {
  using enum storage::RestoreAnswer;
  switch (answer) {
    case restored:
      return "restored";
    case no_copy:
      return "no_copy";
    case id_taken:
      return "id_taken";
    case unique_conflict:
      return "unique_conflict";
    case refused:
      return "refused";
    case damaged:
      return "damaged";
  }
  return {};
}

RestoreCall::RestoreCall(std::shared_ptr<NodeContext> context, RestoreRequest request,
                         Answer answer)
    : context_(std::move(context)),
      request_(std::move(request)),
      answer_(std::move(answer)),
      began_(context_->clock->now()) {}

void RestoreCall::begin(std::shared_ptr<NodeContext> context, RestoreRequest request,
                        Answer answer) {
  std::make_shared<RestoreCall>(std::move(context), std::move(request), std::move(answer))->next();
}

void RestoreCall::next() {
  if (request_.matching && !std::exchange(is_counted_, true)) return count_matches();
  if (by_pages()) return read_page();
  if (at_ == request_.jobs.size()) return answer_(std::move(report_));
  const auto from = request_.jobs.begin() + static_cast<std::ptrdiff_t>(at_);
  const std::size_t count = std::min<std::size_t>(page_size, request_.jobs.size() - at_);
  at_ += count;
  write({from, from + static_cast<std::ptrdiff_t>(count)});
}

storage::CopyQuery RestoreCall::query() const {
  storage::CopyQuery query = request_.matching.value_or(storage::CopyQuery{});
  if (!request_.matching) query.project = request_.project;
  if (request_.delete_id) query.delete_id = request_.delete_id;
  query.after = after_;
  query.now = context_->clock->now();
  query.limit = page_size;
  return query;
}

// Nobody brings back more than he has seen.
void RestoreCall::count_matches() {
  context_->readers->run([self = shared_from_this()](storage::Reader& reader) {
    storage::CopyQuery query = self->query();
    std::uint64_t found = 0;
    for (;;) {
      const auto copies = reader.copies(query);
      if (!copies) return self->answer_(copies.error());
      for (const storage::CopyHead& copy : *copies) found += copy.at <= self->began_ ? 1 : 0;
      if (std::ssize(*copies) < page_size) break;
      query.after = copies->back().job;
    }
    self->report_.asked = found;
    if (self->request_.only_count) return self->answer_(std::move(self->report_));
    if (found != self->request_.expected)
      return self->answer_(
          Error{ErrorCode::preview_stale, std::to_string(found) + " copies match now, " +
                                              std::to_string(self->request_.expected) +
                                              " were expected; look again."});
    self->report_.asked = 0;
    self->read_page();
  });
}

void RestoreCall::read_page() {
  context_->readers->run([self = shared_from_this()](storage::Reader& reader) {
    std::vector<JobId> jobs;
    while (jobs.empty()) {
      const auto copies = reader.copies(self->query());
      if (!copies) return self->answer_(copies.error());
      if (copies->empty()) break;
      self->after_ = copies->back().job;
      for (const storage::CopyHead& copy : *copies)
        if (self->request_.delete_id || copy.at <= self->began_) jobs.push_back(copy.job);
    }
    if (!jobs.empty()) return self->write(std::move(jobs));
    RestoreReport& report = self->report_;
    for (RestoreOutcome& one : self->fine_)
      if (report.outcomes.size() < restore_outcomes_max) report.outcomes.push_back(std::move(one));
    report.is_cut = report.outcomes.size() < report.asked;
    self->answer_(std::move(report));
  });
}

void RestoreCall::write(std::vector<JobId> jobs) {
  const Instant now = context_->clock->now();
  const auto until = kept_until(*context_->settings, JobState::cancelled, now);
  auto ops = std::make_shared<storage::Batch>();
  for (const JobId& job : jobs) {
    storage::RestoreOp op;
    op.job = job;
    op.delete_id = request_.delete_id;
    op.who = request_.who;
    op.project = request_.project;
    op.now = now;
    op.rerun = request_.rerun;
    op.drop_key = request_.drop_key;
    op.refuses = request_.refuses;
    op.cancelled_expires = until;
    ops->restores.push_back(std::move(op));
  }
  tell(context_->clerk, WriteOps{std::move(ops), [self = shared_from_this(), all = std::move(jobs)](
                                                     Result<storage::Outcome> outcome) {
                                   self->written(all, std::move(outcome));
                                 }});
}

void RestoreCall::written(const std::vector<JobId>& jobs, Result<storage::Outcome> outcome) {
  if (!outcome) return answer_(outcome.error());
  for (std::size_t i = 0; i < jobs.size(); ++i) note(jobs[i], std::move(outcome->restores[i]));
  next();
}

void RestoreCall::note(JobId job, storage::RestoreResult result) {
  const bool is_back = result.answer == storage::RestoreAnswer::restored;
  ++report_.asked;
  ++(is_back ? report_.restored : report_.failed);
  auto& list = is_back && by_pages() ? fine_ : report_.outcomes;
  if (!by_pages() || list.size() < restore_outcomes_max) list.push_back({job, std::move(result)});
}

}  // namespace quell
