// A PostgreSQL store as the source and as the target of a backup.
#pragma once

#include "storage/backup/sink.hpp"
#include "storage/backup/source.hpp"

namespace quell::storage::postgres {

Result<std::unique_ptr<BackupSource>> open_source(const std::string& url);
Result<std::unique_ptr<BackupSink>> open_sink(const std::string& url);

}  // namespace quell::storage::postgres
