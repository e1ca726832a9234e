// The .sql files of this folder, compiled in: migrations and laws must travel with the program that
// relies on them.
#pragma once

#include <span>
#include <string_view>

namespace quell::storage {

struct SqlFile {
  std::string_view name;  // "migrations/sqlite/0001_jobs.sql", "laws.sqlite.sql"
  std::string_view text;
};

std::span<const SqlFile> sql_files();  // sorted by name

}  // namespace quell::storage
