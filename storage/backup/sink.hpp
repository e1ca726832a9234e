// A store as a restore writes it: everything in one transaction, so that a crash leaves it empty.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/id.hpp"
#include "runtime/base/result.hpp"
#include "storage/backup/tables.hpp"

namespace quell::storage {

class BackupSink {
 public:
  virtual ~BackupSink() = default;
  // What is there that only an empty store lacks, "" for nothing: jobs, schedules, copies, or nodes
  // at work.
  virtual Result<std::string> occupied() = 0;
  // Of an empty store what would stand in the way: counts that are zero, and the audit rows, which
  // whoever restores has read and adds again.
  virtual Result<void> clear_for_rows() = 0;
  // Rows as the backup has them. A row of tomb, call, doc or of a limit's bucket takes the place of
  // one with its key.
  virtual Result<void> add(BackupTableId table, const BackupRow& row) = 0;
  // What add() has kept back, the counts of jobs, the numbers that the store draws.
  virtual Result<void> finish() = 0;
  virtual Result<void> commit() = 0;
  // Nodes that hold what is leaving, or deliver: none of them works on this store.
  virtual Result<std::vector<NodeId>> holders() = 0;
};

// A transaction on a store whose schema is ours. Nothing of it stays without commit().
Result<std::unique_ptr<BackupSink>> open_backup_sink(const std::string& url,
                                                     const std::string& data_dir);

}  // namespace quell::storage
