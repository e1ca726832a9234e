// An SQLite store as the source and as the target of a backup.
#pragma once

#include "storage/backup/sink.hpp"
#include "storage/backup/source.hpp"

namespace quell::storage::sqlite {

Result<std::unique_ptr<BackupSource>> open_source(const std::string& path);
Result<std::unique_ptr<BackupSink>> open_sink(const std::string& path);

}  // namespace quell::storage::sqlite
