// A store as a backup reads it: one moment of it, whatever happens meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"
#include "storage/backup/tables.hpp"

namespace quell::storage {

class BackupSource {
 public:
  // A fault of it ends the reading.
  using Take = std::function<Result<void>(const BackupRow& row)>;

  virtual ~BackupSource() = default;
  virtual std::string_view store() const = 0;  // "sqlite" or "postgres"
  virtual int schema() const = 0;
  // All rows of the table as they were at the one moment, in bounded memory.
  virtual Result<void> rows(BackupTableId table, const Take& take) = 0;
  // The table's columns in the schema that is there; for the test that nothing is forgotten.
  virtual Result<std::vector<std::pair<std::string, std::string>>> columns() = 0;
};

// The moment is when this returns. A store that somebody serves is read beside them.
Result<std::unique_ptr<BackupSource>> open_backup_source(const std::string& url,
                                                         const std::string& data_dir);

}  // namespace quell::storage
