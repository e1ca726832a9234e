// Where the last full claim of a queue ended: the next one starts behind it and so jumps over the
// dead index entries of what was claimed before. Shared by the writers of one process: what comes
// in by one must not be passed over by another. A job that came in before the cursor by another
// process waits for at most `lifetime`.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "runtime/base/id.hpp"

namespace quell::storage::postgres {

struct ClaimCursor {
  static constexpr std::chrono::milliseconds lifetime{200};
  int pk = -1;
  JobId job;
  std::chrono::steady_clock::time_point since;

  bool is_behind(int other_pk, const JobId& other) const {
    return std::tie(other_pk, other) < std::tie(pk, job);
  }
};

class ClaimCursors {
 public:
  // One claim on its way. What comes in meanwhile it may not have seen: then where it ended is no
  // place to start from.
  class Look {
   public:
    Look(ClaimCursors& all, std::string queue) : all_(all), queue_(std::move(queue)) {
      const std::lock_guard lock(all_.mutex_);
      Queue& own = all_.queues_[queue_];
      own.looks.push_back(this);
      start_ = own.cursor;
    }
    ~Look() {
      const std::lock_guard lock(all_.mutex_);
      std::erase(all_.queues_[queue_].looks, this);
    }
    Look(const Look&) = delete;
    Look& operator=(const Look&) = delete;

    const std::optional<ClaimCursor>& start() const { return start_; }
    void ended(const std::optional<ClaimCursor>& at) {
      const std::lock_guard lock(all_.mutex_);
      const bool passed = at && lowest_ && at->is_behind(lowest_->pk, lowest_->job);
      all_.queues_[queue_].cursor = passed ? std::nullopt : at;
    }

   private:
    friend class ClaimCursors;
    void saw(int pk, const JobId& job) {
      if (!lowest_ || lowest_->is_behind(pk, job)) lowest_ = ClaimCursor{pk, job, {}};
    }

    ClaimCursors& all_;
    std::string queue_;
    std::optional<ClaimCursor> start_, lowest_;
  };

  // A job stands there that could not be claimed before.
  void came_in(const std::string& queue, int pk, const JobId& job) {
    const std::lock_guard lock(mutex_);
    const auto at = queues_.find(queue);
    if (at == queues_.end()) return;
    for (Look* look : at->second.looks) look->saw(pk, job);
    auto& cursor = at->second.cursor;
    if (cursor && cursor->is_behind(pk, job)) cursor.reset();
  }
  // … somewhere.
  void came_back(const std::string& queue) { came_in(queue, -1, JobId{}); }
  void forget_all() {
    const std::lock_guard lock(mutex_);
    for (auto& [name, queue] : queues_) {
      for (Look* look : queue.looks) look->saw(-1, JobId{});
      queue.cursor.reset();
    }
  }

 private:
  struct Queue {
    std::optional<ClaimCursor> cursor;
    std::vector<Look*> looks;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Queue> queues_;
};

}  // namespace quell::storage::postgres
