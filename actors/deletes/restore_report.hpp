// What is asked of a restore, and what it is told.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/id.hpp"
#include "storage/reader.hpp"

namespace quell {

struct RestoreRequest {
  std::vector<JobId> jobs;                          // these, or
  std::optional<DeleteId> delete_id = {};           // all that one delete left a copy of, or
  std::optional<storage::CopyQuery> matching = {};  // all that match, if these are as many as was
  std::uint64_t expected = 0;                       // seen before
  bool only_count = false;                          // of `matching`
  std::string who, project = {};                    // "" = any project's
  bool rerun = false, drop_key = false;             // see RestoreOp
  std::function<bool(const std::string& kind, const std::string& args)> refuses = {};  // likewise
};

struct RestoreOutcome {
  JobId job;
  storage::RestoreResult result;
};

struct RestoreReport {
  std::uint64_t asked = 0, restored = 0, failed = 0;
  // In the order of the asking; of an undo at most so many, those that failed first of all.
  std::vector<RestoreOutcome> outcomes;
  bool is_cut = false;  // not every outcome is listed
};
inline constexpr std::size_t restore_outcomes_max = 1'000;

std::string_view to_string(storage::RestoreAnswer answer);

}  // namespace quell
