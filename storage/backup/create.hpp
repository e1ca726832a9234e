// Making a backup: one moment of a store, in one file.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "runtime/signing/secret_box.hpp"
#include "storage/backup/backup_file.hpp"
#include "storage/backup/source.hpp"

namespace quell::storage {

struct BackupProgress {
  std::string_view table;
  std::uint64_t rows = 0;           // so far
  std::uint64_t done = 0, all = 0;  // bytes of the file; all 0: not known yet
};
// False ends the work.
using TellProgress = std::function<bool(const BackupProgress& progress)>;

struct BackupRequest {
  std::string path, product;
  Uuid id;
  bool deletions_only = false;
  std::string passphrase = {};              // "": secrets are left out
  std::optional<SecretBox> store_key = {};  // what the store's secrets are sealed with
  TellProgress progress = {};
};

struct BackupMade {
  BackupHead head;
  TableSums sums;
  std::uint64_t bytes = 0;
  std::string digest = {};  // hex
  Instant ended;
};

Result<BackupMade> make_backup(BackupSource& source, const BackupRequest& request,
                               const Clock& clock);

inline Error interrupted() {
  return {ErrorCode::store_unavailable, "it was interrupted"};
}

}  // namespace quell::storage
