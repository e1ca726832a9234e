#include "storage/backup/verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "runtime/base/hex.hpp"

namespace quell::storage {

namespace {

constexpr std::uint64_t keep_each = 64 << 20;  // bytes

// The file as it is now: another one with its name is another one.
std::string file_mark(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return fmt::format("{} {} {} {}.{}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::string note_path(const std::string& path) {
  return path + ".verifying";
}

void keep_place(const std::string& path, const std::string& place) {
  const std::string text = file_mark(path) + "\n" + place;
  const int file = ::open(note_path(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return;  // a check beside a backup that cannot be written begins anew, that is all
  const bool whole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(file);
  if (!whole) ::unlink(note_path(path).c_str());
}

void take_up(const std::string& path, BackupReader& reader) {
  std::ifstream note(note_path(path));
  std::string mark;
  if (!std::getline(note, mark) || mark != file_mark(path)) return;
  const std::string place{std::istreambuf_iterator<char>(note), {}};
  static_cast<void>(reader.go_to(place));  // what cannot be read is no place: from the beginning
}

}  // namespace

Result<BackupMade> verify_backup(const std::string& path, const TellProgress& progress) {
  auto reader = BackupReader::open(path);
  if (!reader) return reader.error();
  take_up(path, *reader);
  std::uint64_t kept = reader->offset(), rows = 0;
  BackupTableId table{};
  BackupRow row;
  for (;;) {
    if (reader->at_frame_end()) {
      if (progress &&
          !progress({backup_table(table).name, rows, reader->offset(), reader->file_bytes()})) {
        keep_place(path, reader->place());
        return interrupted();
      }
      if (reader->offset() >= kept + keep_each) {
        keep_place(path, reader->place());
        kept = reader->offset();
      }
    }
    const auto more = reader->next(table, row);
    if (!more) ::unlink(note_path(path).c_str());
    if (!more) return more.error();
    if (!*more) break;
    ++rows;
  }
  ::unlink(note_path(path).c_str());
  BackupMade made;
  made.head = reader->head();
  made.sums = reader->sums();
  made.bytes = reader->file_bytes();
  made.digest = hex(reader->digest());
  return made;
}

}  // namespace quell::storage
