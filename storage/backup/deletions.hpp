// What was deleted, as a restore must know it: tombstones by the id of their job; and what was
// ordered to be deleted, and had not gone yet: whoever was promised it does not find it again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "runtime/base/id.hpp"
#include "storage/backup/source.hpp"

namespace quell::storage {

class Deletions {
 public:
  struct Tomb {
    std::int64_t at = 0;
    std::optional<std::int64_t> restored_epoch = {};  // its job has come back since
    std::string row = {};                             // encoded
  };
  // That a job goes, until it is gone.
  struct Order {
    Instant moment;  // of the file that has it
    BackupRow ticket, holder;
  };
  // That a schedule goes: as it is since, and the message about it, unless its delete has failed.
  struct TaskOrder {
    Instant moment;
    BackupRow schedule, message;
  };
  // Of two of one job the later stands.
  void add(const BackupRow& tomb);
  Result<void> add_file(const std::string& path);
  Result<void> add_store(BackupSource& source);
  // The backup's own: true when it stands, since nothing later is known.
  bool stands(const BackupRow& tomb);
  // A row of the audit log, which knows of schedules that were deleted.
  void add_audit(const BackupRow& row);
  // One that was made again under its id behind its deletion is another one.
  bool has_task(std::string_view task, Instant created) const;  // 16 bytes
  const Tomb* of(std::string_view job) const;                   // 16 bytes
  // What a backup of that moment does not know yet; none of what has gone since.
  const Order* order_of(std::string_view job, Instant backup) const;
  const TaskOrder* task_order_of(std::string_view task, Instant backup) const;
  std::size_t size() const { return tombs_.size(); }
  const std::unordered_map<std::string, Tomb>& tombs() const { return tombs_; }
  // Calls of the files, to be written too.
  const std::unordered_map<std::string, BackupRow>& calls() const { return calls_; }
  std::optional<Instant> newest_file() const { return newest_; }

 private:
  void add_order(BackupTableId table, const BackupRow& row, Instant moment);

  std::unordered_map<std::string, Tomb> tombs_;
  std::unordered_map<std::string, Order> orders_;  // by job
  std::unordered_map<std::string, TaskOrder> task_orders_;
  std::unordered_map<std::string, BackupRow> calls_;  // by delete_id
  std::map<std::string, Instant> tasks_;              // as text, and its last deletion
  std::optional<Instant> newest_;
};

}  // namespace quell::storage
