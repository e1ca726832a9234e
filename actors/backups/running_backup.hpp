// The backup that is being made here: how far it is, for whoever asks, and whether it shall end.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"

namespace quell {

struct RunningBackup {
  Uuid id;
  Instant began;
  std::string table = {};
  std::uint64_t rows = 0, bytes = 0;
};

class BackupState {
 public:
  std::optional<RunningBackup> running() const {
    const std::lock_guard lock(mutex_);
    return running_;
  }
  void begin(const Uuid& id, Instant now) {
    const std::lock_guard lock(mutex_);
    running_ = RunningBackup{id, now};
  }
  void step(std::string_view table, std::uint64_t rows, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (!running_) return;
    running_->table = table;
    running_->rows = rows;
    running_->bytes = bytes;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    running_.reset();
  }
  std::atomic<bool> leave{false};  // the node ends: the backup is not finished

 private:
  mutable std::mutex mutex_;
  std::optional<RunningBackup> running_;
};

// Documents that every node reads: of the last backup that was made, and of the last that failed.
inline constexpr const char *backup_kind = "backup", *last_backup = "last",
                            *failed_backup = "failed";

}  // namespace quell
