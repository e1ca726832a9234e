// Lists of jobs, newest first. Whatever the filter, a call looks at a bounded number of rows: where
// no index helps, the page says that it is partial and where to go on.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "storage/reader.hpp"
#include "storage/sqlite/reads/job_views.hpp"

namespace quell::storage::sqlite {

class JobList {
 public:
  JobList(Connection& db, JobViews& views);
  JobPage list(const ListQuery& query);
  MatchPage matches(const ListQuery& query);

 private:
  struct Candidate;
  class Stream;
  struct Walk {
    std::vector<FoundByFilter> jobs;
    std::optional<JobId> next;
    bool is_partial = false;
  };

  Walk walk(const ListQuery& query);

  std::vector<std::unique_ptr<Stream>> streams_for(const ListQuery& query);
  bool matches(const Candidate& candidate, const JobFilter& filter);

  JobViews& views_;
  Statement all_, schedule_, live_, running_, meta_;
  std::vector<std::unique_ptr<Statement>> by_state_;  // stored states 1 to 5
};

}  // namespace quell::storage::sqlite
