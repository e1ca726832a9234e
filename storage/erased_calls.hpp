// What a transaction erased, brought back or let end, per call and way: each becomes one audit row,
// whose digest stands for its sorted lines, so that a later reader can prove which jobs were meant
// without the row naming each.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/erase_digest.hpp"

namespace quell::storage {

// In the order of their rows.
enum class Way : std::uint8_t { erase, force, restore, copy_end, result_end };
constexpr std::string_view word_of(Way way) {
  switch (way) {
    case Way::erase:
      return "delete";
    case Way::force:
      return "force";
    case Way::restore:
      return "restore";
    case Way::copy_end:
      return "copy_end";
    case Way::result_end:
      return "result_end";
  }
  return {};
}

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
