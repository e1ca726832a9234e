// Sees spikes of deletions over the whole fleet: it judges the delete calls that the store lists,
// whoever made them, so that every node comes to the same alerts, under the same ids.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "actors/safeguards/alert.hpp"

namespace quell {

class SpikeWatch {
 public:
  struct Own {  // a call that this node has made, or is asked for
    Uuid id;
    Instant at;
    std::uint64_t jobs = 0, live_before = 0;
    std::uint64_t calls = 1;  // so many it will be made as, with all of these jobs
    std::string who = {}, path = {}, project = {};
  };

  // Would this call be part of a spike, or one by itself?
  static Result<std::optional<SpikeAlert>> would_cross(storage::Reader& reader,
                                                       const SpikeRules& rules, const Own& own);
  // The alerts of the last minute that this node has not raised yet.
  Result<std::vector<Alert>> crossed(storage::Reader& reader, const SpikeRules& rules,
                                     const Own& own);

 private:
  std::mutex mutex_;
  std::set<Uuid> said_;
};

Result<std::uint64_t> live_jobs(storage::Reader& reader);
std::uint64_t jobs_of(const storage::CallView& row);

}  // namespace quell
