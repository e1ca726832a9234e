// What a transaction erased, per call and way: each becomes one audit row, whose digest stands for
// its sorted lines, so that a later reader can prove which jobs were meant without the row naming
// each.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/erase_digest.hpp"

namespace quell::storage {

enum class Way : std::uint8_t { erase, force };  // in the order of their rows

class ErasedCalls {
 public:
  struct Call {
    std::string who;
    Instant at;
    std::vector<ErasedJob> jobs;
  };
  void erased(DeleteId call, Way way, std::string_view who, Instant at, const ErasedJob& job) {
    Call& owed = calls_[{call, way}];
    owed.at = std::max(owed.at, at);
    owed.who = who;
    owed.jobs.push_back(job);
  }
  void forget() { calls_.clear(); }

 protected:
  std::map<std::pair<DeleteId, Way>, Call> calls_;
};

}  // namespace quell::storage
