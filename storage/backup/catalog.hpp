// The backups of a directory.
#pragma once

#include "runtime/policy/backup_rotation.hpp"
#include "storage/backup/create.hpp"

namespace quell::storage {

inline constexpr const char* backup_suffix = ".backup";

// "quell-20261201T070000Z-0198c2c0.backup"; `by_hand`: "quell-hand-…", which rotation leaves alone.
std::string backup_name(Instant moment, const Uuid& id, bool by_hand);

struct ListedBackup {
  std::string name, path;
  std::uint64_t bytes = 0;
  BackupHead head;
  TableSums sums = no_sums();
  Instant ended;
  bool rotates = false;    // made by the timetable
  std::string fault = {};  // it cannot be read, and why; then only its name and size are known
};
// By their moment. What the end of each says is taken as it stands: `verify` judges it.
Result<std::vector<ListedBackup>> list_backups(const std::string& dir);

// Removes what the rotation does not keep; the names that went.
Result<std::vector<std::string>> rotate_backups(const std::string& dir, const BackupKeep& keep);

}  // namespace quell::storage
