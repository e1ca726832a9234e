#include "storage/backup/backup_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "runtime/base/assert.hpp"
#include "storage/backup/backup_head.hpp"

namespace quell::storage {

namespace {

constexpr std::size_t block_bytes = 256 << 10;
constexpr const char* part_suffix = ".part";

}  // namespace

BackupFile::~BackupFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(part_.c_str());
}

Error BackupFile::fault(const char* doing) const {
  const std::string why = std::strerror(errno);
  return {ErrorCode::store_unavailable, fmt::format("{} cannot be {}: {}", part_, doing, why)};
}

Result<void> BackupFile::begin(const std::string& path, const BackupHead& head) {
  path_ = path;
  part_ = path + part_suffix;
  if (::access(path.c_str(), F_OK) == 0)
    return Error{ErrorCode::store_unavailable, path + " is there already"};
  ::unlink(part_.c_str());  // of a process that died
  file_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file_ < 0) return fault("made");
  frames_.emplace([this](std::string_view bytes) { return put(bytes); });
  if (auto put = frames_->begin(); !put) return put;
  return frames_->frame(FrameType::header, head_text(head));
}

Result<void> BackupFile::put(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(file_, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fault("written");
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

Result<void> BackupFile::add(BackupTableId table, const BackupRow& row) {
  QUELL_ASSERT(row.size() == backup_table(table).columns.size());
  if (table_ != table)
    if (auto flushed = flush(); !flushed) return flushed;
  table_ = table;
  row_.clear();
  encode_row(row, row_);
  sums_[static_cast<std::size_t>(table)].add(row_);
  rows_ += row_;
  return rows_.size() < block_bytes ? Result<void>() : flush();
}

Result<void> BackupFile::flush() {
  if (rows_.empty()) return {};
  const std::string name{backup_table(*table_).name};
  auto framed = frames_->frame(FrameType::rows, name + '\n' + rows_);
  rows_.clear();
  return framed;
}

// What a crash leaves behind the name is a whole file, or no file.
Result<void> BackupFile::finish(Instant ended) {
  if (auto flushed = flush(); !flushed) return flushed;
  const std::string text = sums_text(sums_, ended.time_since_epoch().count());
  if (auto framed = frames_->frame(FrameType::trailer, text); !framed) return framed;
  if (::fsync(file_) != 0) return fault("forced to the disk");
  if (::rename(part_.c_str(), path_.c_str()) != 0) return fault("renamed");
  ::close(std::exchange(file_, -1));
  const std::string parent = std::filesystem::path(path_).parent_path().string();
  const int dir = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return fault("made known to its directory");
  const bool forced = ::fsync(dir) == 0;
  ::close(dir);
  return forced ? Result<void>() : fault("made known to its directory");
}

}  // namespace quell::storage
