// Counts what a filter finds, page by page, so that a million jobs need no memory and no reader is
// held for long.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "http/api/handlers/handlers.hpp"
#include "http/api/request_context.hpp"

namespace quell::http {

inline constexpr std::size_t preview_sample_max = 100, preview_groups_max = 200;

struct FilterCount {
  std::int64_t total = 0;
  std::map<JobState, std::int64_t> by_state;
  struct GroupKey {
    std::string queue, kind, host, model;  // host of http jobs, model of llm ones
    auto operator<=>(const GroupKey&) const = default;
  };
  struct Group {
    std::int64_t n = 0, running = 0;
    std::int64_t input_tokens = 0, output_tokens = 0;  // what they have used so far
    std::optional<double> cost = {};
  };
  std::map<GroupKey, Group> groups;
  bool groups_are_cut = false;
  std::vector<storage::FoundByFilter> running, others;  // of each the newest, for the sample

  // `outbound`: of a job of a kind that calls out.
  void add(const storage::FoundByFilter& job, const storage::OutboundView* outbound = nullptr);
};

// Answers the call itself when the store does not. `is_detailed`: with hosts, models and usage, for
// which each job that calls out is looked at.
void count_matches(const RequestPtr& call, const storage::JobFilter& filter, bool is_detailed,
                   std::function<void(const FilterCount&)> then);

}  // namespace quell::http
