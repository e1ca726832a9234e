// Whether a backup is whole: every byte is read and judged.
#pragma once

#include "storage/backup/create.hpp"

namespace quell::storage {

// Where an interrupted check has got to is kept beside the file and taken up by the next one, if
// the file is the same still.
Result<BackupMade> verify_backup(const std::string& path, const TellProgress& progress);

}  // namespace quell::storage
