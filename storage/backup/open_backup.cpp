// The one place where a backup tells the stores apart.
#include "storage/backup/sink.hpp"
#include "storage/backup/source.hpp"
#include "storage/postgres/backup/postgres_backup.hpp"
#include "storage/sqlite/backup/sqlite_backup.hpp"

namespace quell::storage {

namespace {

constexpr std::string_view sqlite_prefix = "sqlite:";

bool is_postgres(const std::string& url) {
  return url.starts_with("postgres://") || url.starts_with("postgresql://");
}

std::string sqlite_file(const std::string& url, const std::string& data_dir) {
  const std::string path = url.substr(sqlite_prefix.size());
  return path.empty() ? data_dir + "/quell.db" : path;
}

Error no_backup_of(const std::string& url) {
  return {ErrorCode::usage, "a store that has backups is sqlite:PATH or postgres://…, not " + url};
}

}  // namespace

Result<std::unique_ptr<BackupSource>> open_backup_source(const std::string& url,
                                                         const std::string& data_dir) {
  if (url.starts_with(sqlite_prefix)) return sqlite::open_source(sqlite_file(url, data_dir));
  if (is_postgres(url)) return postgres::open_source(url);
  return no_backup_of(url);
}

Result<std::unique_ptr<BackupSink>> open_backup_sink(const std::string& url,
                                                     const std::string& data_dir) {
  if (url.starts_with(sqlite_prefix)) return sqlite::open_sink(sqlite_file(url, data_dir));
  if (is_postgres(url)) return postgres::open_sink(url);
  return no_backup_of(url);
}

}  // namespace quell::storage
