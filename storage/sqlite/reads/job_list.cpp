#include "storage/sqlite/reads/job_list.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "storage/sqlite/connection/codes.hpp"

namespace quell::storage::sqlite {

namespace {

constexpr int most_rows_looked_at = 20'000;  // about 10 ms

constexpr const char* from_job =
    "SELECT j.id, j.project, j.queue, j.kind, j.state, l.place, j.schedule";

std::string job_range(const std::string& where) {
  return fmt::format(
      "{} FROM job j LEFT JOIN live l ON l.job = j.id"
      " WHERE {} j.id < ?1 AND j.id >= ?2 ORDER BY j.id DESC",
      from_job, where);
}

std::string live_range(const char* index, const char* where) {
  return fmt::format(
      "SELECT l.job, l.project, l.queue, l.kind, 0, l.place, NULL FROM live l {}"
      " WHERE {} l.job < ?1 AND l.job >= ?2 ORDER BY l.job DESC",
      index, where);
}

// The smallest id of a millisecond: ids carry their time in the first six bytes.
Uuid first_of(Instant at) {
  const auto ms = std::max<std::int64_t>(at.time_since_epoch().count(), 0);
  Uuid id;
  for (std::size_t byte = 0; byte < 6; ++byte)
    id.bytes[byte] = static_cast<std::uint8_t>(ms >> (40 - 8 * byte));
  return id;
}

struct Range {
  Uuid below, from;
};

Range range_of(const ListQuery& query) {
  Range range;
  range.below.bytes.fill(0xff);
  if (query.after) range.below = *query.after;
  if (query.filter.created_before)
    range.below = std::min(range.below, first_of(*query.filter.created_before));
  if (query.filter.created_from) range.from = first_of(*query.filter.created_from);
  return range;
}

}  // namespace

struct JobList::Candidate {
  JobId id;
  std::string project, queue, kind, schedule;
  JobState state = JobState::queued;
};

class JobList::Stream {
 public:
  Stream(Statement& statement, const Range& range)
      : below_(range.below), from_(range.from), rows_(statement.rows(below_, from_)) {
    advance();
  }
  template <class T>
  Stream(Statement& statement, const Range& range, const T& value)
      : below_(range.below), from_(range.from), rows_(statement.rows(below_, from_, value)) {
    advance();
  }
  bool at_end() const { return at_end_; }
  const JobId& id() const { return id_; }
  void read(Candidate& candidate) const {
    candidate.id = id_;
    candidate.project = rows_.view(1);
    candidate.queue = rows_.view(2);
    candidate.kind = rows_.view(3);
    candidate.state = shown(rows_.number(4), rows_.number(5));
    candidate.schedule = rows_.view(6);
  }
  void advance() {
    at_end_ = !rows_.next();
    if (!at_end_) id_ = rows_.uuid(0);
  }

 private:
  Uuid below_, from_, id_;
  Rows rows_;
  bool at_end_ = false;
};

JobList::JobList(Connection& db, JobViews& views)
    : views_(views),
      all_(db, job_range("")),
      schedule_(db, job_range("j.schedule = ?3 AND j.schedule IS NOT NULL AND")),
      live_(db, live_range("", "")),
      running_(db, live_range("INDEXED BY live_node", "l.place = 2 AND")),
      meta_(db, "SELECT meta FROM payload WHERE job = ?") {
  for (int state = Stored::succeeded; state <= Stored::delete_failed; ++state)
    by_state_.push_back(std::make_unique<Statement>(
        db, job_range(fmt::format("j.state > 0 AND j.state = {} AND", state))));
}

std::vector<std::unique_ptr<JobList::Stream>> JobList::streams_for(const ListQuery& query) {
  const Range range = range_of(query);
  const std::vector<JobState>& states = query.filter.states;
  std::vector<std::unique_ptr<Stream>> streams;
  if (!query.filter.schedule.empty()) {
    streams.push_back(std::make_unique<Stream>(schedule_, range, query.filter.schedule));
    return streams;
  }
  if (states.empty()) {
    streams.push_back(std::make_unique<Stream>(all_, range));
    return streams;
  }
  const auto wanted = [&](JobState state) {
    return std::find(states.begin(), states.end(), state) != states.end();
  };
  if (wanted(JobState::scheduled) || wanted(JobState::queued))
    streams.push_back(std::make_unique<Stream>(live_, range));
  else if (wanted(JobState::running))
    streams.push_back(std::make_unique<Stream>(running_, range));
  for (int state = Stored::succeeded; state <= Stored::delete_failed; ++state)
    if (wanted(shown(state, 0)))
      streams.push_back(
          std::make_unique<Stream>(*by_state_[static_cast<std::size_t>(state) - 1], range));
  return streams;
}

bool JobList::matches(const Candidate& candidate, const JobFilter& filter) {
  const auto is = [](const std::string& wanted, const std::string& found) {
    return wanted.empty() || wanted == found;
  };
  const std::vector<JobState>& states = filter.states;
  if (!states.empty() && std::find(states.begin(), states.end(), candidate.state) == states.end())
    return false;
  if (!is(filter.project, candidate.project) || !is(filter.queue, candidate.queue) ||
      !is(filter.kind, candidate.kind) || !is(filter.schedule, candidate.schedule))
    return false;
  if (filter.tag.empty()) return true;
  Rows row = meta_.rows(candidate.id);
  if (!row.next()) return false;
  const std::vector<std::string> tags = options_from_json(row.text(0)).tags;
  return std::find(tags.begin(), tags.end(), filter.tag) != tags.end();
}

JobList::Walk JobList::walk(const ListQuery& query) {
  Walk page;
  const auto limit = static_cast<std::size_t>(std::max(query.limit, 0));
  std::vector<std::unique_ptr<Stream>> streams = streams_for(query);
  Candidate candidate;
  for (int looked_at = 0;; ++looked_at) {
    Stream* newest = nullptr;
    for (const auto& stream : streams)
      if (!stream->at_end() && (!newest || newest->id() < stream->id())) newest = stream.get();
    if (!newest) break;
    if (looked_at == most_rows_looked_at) {
      page.is_partial = true;
      page.next = candidate.id;
      break;
    }
    newest->read(candidate);
    if (matches(candidate, query.filter)) {
      if (page.jobs.size() == limit) {
        if (!page.jobs.empty()) page.next = page.jobs.back().job;
        break;
      }
      page.jobs.push_back({candidate.id, candidate.state, candidate.queue, candidate.kind});
    }
    newest->advance();
  }
  return page;
}

JobPage JobList::list(const ListQuery& query) {
  const Walk found = walk(query);
  JobPage page;
  page.next = found.next;
  page.is_partial = found.is_partial;
  for (const FoundByFilter& one : found.jobs)
    if (std::optional<JobView> view = views_.find(one.job, query.with_payload))
      page.jobs.push_back(std::move(*view));
  return page;
}

MatchPage JobList::matches(const ListQuery& query) {
  Walk found = walk(query);
  return {std::move(found.jobs), found.next};
}

}  // namespace quell::storage::sqlite
