// A backup comes back: into an empty store, whole or not at all.
#pragma once

#include "storage/backup/create.hpp"
#include "storage/backup/restored_rows.hpp"
#include "storage/store.hpp"

namespace quell::storage {

struct RestoreRequest {
  std::string path;
  std::string url;
  OpenOptions open = {};
  std::vector<std::string> deletions = {};  // files
  RestoreTerms terms;
  int max_lost = 3;
  TellProgress progress = {};
};

struct Restored {
  BackupHead head;
  RestoreCounts counts;
  bool went_on =
      false;  // the rows were there already: the restore before was cut short behind them
};

// The file is checked whole before the first row is written.
Result<Restored> restore_backup(const RestoreRequest& request);

struct Difference {
  std::string table;
  std::uint64_t expected = 0, found = 0;  // rows; the same when only their contents differ
};
struct Drill {
  BackupHead head;
  RestoreCounts counts;
  std::uint64_t rows = 0;
  std::vector<Difference> differences;
};
// Restores the file into the store beside and compares it, table by table, with the store that
// `live` reads, at its moment; with the file's own rows when that is null.
Result<Drill> drill_backup(const RestoreRequest& beside, BackupSource* live);

}  // namespace quell::storage
