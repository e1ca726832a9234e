// Counts what a filter finds, page by page, so that a million jobs need no memory and no reader is
// held for long.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "http/api/handlers/handlers.hpp"
#include "http/api/request_context.hpp"

namespace quell::http {

inline constexpr std::size_t preview_sample_max = 100, preview_groups_max = 200;

struct FilterCount {
  std::int64_t total = 0;
  std::map<JobState, std::int64_t> by_state;
  struct Group {
    std::int64_t n = 0, running = 0;
  };
  std::map<std::pair<std::string, std::string>, Group> groups;  // queue, kind
  bool groups_are_cut = false;
  std::vector<storage::FoundByFilter> running, others;  // of each the newest, for the sample

  void add(const storage::FoundByFilter& job);
};

// Answers the call itself when the store does not.
void count_matches(const RequestPtr& call, const storage::JobFilter& filter,
                   std::function<void(const FilterCount&)> then);

}  // namespace quell::http
