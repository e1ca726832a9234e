// From the rows of a backup to those of the store that it is restored into: what was deleted since
// stays away, what ran does not run, queues are paused, ends move on by the time that has passed.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "runtime/signing/secret_box.hpp"
#include "storage/backup/backup_file.hpp"
#include "storage/backup/deletions.hpp"
#include "storage/backup/sink.hpp"
#include "storage/until_by_queue.hpp"

namespace quell::storage {

struct RestoreTerms {
  Instant now;
  UntilByQueue cancelled_expires = {};      // of what ran
  std::vector<std::string> queues = {};     // paused beside those that jobs name
  std::optional<SecretBox> wrapping = {};   // of the backup, and
  std::optional<SecretBox> store_key = {};  // of the store: else secrets are left out
  std::string who;
};

struct RestoreCounts {
  std::uint64_t jobs = 0, stay_deleted = 0, cancelled = 0, tombs = 0, queues = 0;
};

class RestoredRows {
 public:
  RestoredRows(const BackupHead& head, const RestoreTerms& terms, Deletions& deletions,
               BackupSink& sink)
      : head_(head), terms_(terms), deletions_(deletions), sink_(sink) {}
  Result<void> add(BackupTableId table, BackupRow& row);
  // Behind the last row.
  Result<void> finish();
  // The target's own audit rows go behind those of the backup.
  void keep_audit(std::vector<BackupRow> rows) { own_audit_ = std::move(rows); }
  const RestoreCounts& counts() const { return counts_; }

 private:
  Result<void> add_job(BackupRow& row);
  Result<void> add_ordered(BackupRow& row, const Deletions::Order& order);
  Result<void> add_schedule(BackupRow& row);
  Result<void> add_doc(BackupRow& row);
  Result<void> add_paused(const std::string& queue);
  Result<void> add_audit();
  void cancel_run(BackupRow& row);
  bool is_new_tomb(BackupTableId table, const BackupRow& row);
  void move_on(Cell& until) const;
  bool files_are_newer() const;

  const BackupHead& head_;
  const RestoreTerms& terms_;
  Deletions& deletions_;
  BackupSink& sink_;
  std::set<std::string> queues_, paused_;
  std::vector<BackupRow> doubts_, own_audit_;
  std::vector<BackupRow> tickets_, holders_, task_messages_;  // of orders that the backup lacks
  std::set<std::string> ordered_;                             // their jobs and schedules
  std::set<std::string> gone_tasks_;
  std::int64_t audit_no_ = 0;
  RestoreCounts counts_;
};

inline constexpr const char *backup_doc_kind = "backup", *restoring_doc = "restoring";

}  // namespace quell::storage
