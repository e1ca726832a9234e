// What a backup says of itself, as JSON.
#pragma once

#include "storage/backup/backup_file.hpp"

namespace quell::storage {

std::string head_text(const BackupHead& head);
// `layout`: what the file's tables and columns are; a fault when it has what this program does not
// know, since then it was made by a newer one.
Result<BackupHead> head_of(const std::string& text);

std::string sums_text(const TableSums& sums, std::int64_t ended);
// False when the text is no such thing, or says another table.
bool sums_of(const std::string& text, TableSums& sums);

}  // namespace quell::storage
