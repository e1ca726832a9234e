// A backup as one file: what it says of itself, its rows by table, and what it must have held.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "storage/backup/frames.hpp"
#include "storage/backup/tables.hpp"

namespace quell::storage {

// How the named secrets rest in it.
enum class BackupSecrets : std::uint8_t { left_out, wrapped };

struct BackupHead {
  static constexpr int format_now = 1;
  int format = format_now;
  Uuid id;
  bool deletions_only = false;  // no backup, but the deletes to apply to one
  std::string product, store;   // version; "sqlite" or "postgres"
  int schema = 0;
  Instant moment;  // of the snapshot
  BackupSecrets secrets = BackupSecrets::left_out;
  std::string salt = {};   // of the passphrase, hex
  std::string check = {};  // a known text, sealed: says whether a passphrase is the one
  std::vector<std::pair<BackupTableId, std::vector<std::string>>> tables = {};  // and columns
};

using TableSums = std::vector<TableSum>;  // by BackupTableId
inline TableSums no_sums() {
  return TableSums(backup_tables().size());
}

// Written under another name until it is whole: what has the name is a backup.
class BackupFile {
 public:
  BackupFile() = default;
  ~BackupFile();  // without finish(): nothing stays
  BackupFile(const BackupFile&) = delete;
  BackupFile& operator=(const BackupFile&) = delete;
  Result<void> begin(const std::string& path, const BackupHead& head);
  Result<void> add(BackupTableId table, const BackupRow& row);
  Result<void> finish(Instant ended);
  std::uint64_t bytes() const { return frames_ ? frames_->place().offset : 0; }
  const TableSums& sums() const { return sums_; }
  Digest digest() const { return frames_->place().digest; }

 private:
  Result<void> flush();
  Result<void> put(std::string_view bytes);
  Error fault(const char* doing) const;
  std::string path_, part_;
  int file_ = -1;
  std::optional<FrameWriter> frames_;
  std::optional<BackupTableId> table_;
  std::string rows_, row_;
  TableSums sums_ = no_sums();
};

class BackupReader {
 public:
  static Result<BackupReader> open(const std::string& path);
  const BackupHead& head() const { return head_; }
  // The next row; nothing behind the last, when the whole file was as it must be.
  Result<bool> next(BackupTableId& table, BackupRow& row);
  // Everything that is left is read and judged.
  Result<void> check_rest();
  const TableSums& sums() const { return sums_; }
  std::uint64_t offset() const { return frames_.place().offset; }
  std::uint64_t file_bytes() const { return frames_.file_bytes(); }
  Digest digest() const { return frames_.place().digest; }
  // What is needed to go on with a check that was interrupted, as text; see verify.hpp.
  std::string place() const;
  Result<void> go_to(const std::string& place);
  bool at_frame_end() const { return left_.empty(); }

 private:
  explicit BackupReader(FrameReader frames) : frames_(std::move(frames)) {}
  Result<void> read_head();
  Result<bool> next_frame();
  Result<void> judge_trailer(const std::string& text);
  // Of a table as this file has it: for each of our columns, where it is, or -1.
  struct Layout {
    bool there = false;
    std::size_t cells = 0;
    std::vector<int> places;
  };
  FrameReader frames_;
  BackupHead head_;
  std::vector<Layout> layouts_;
  Frame frame_;
  std::string_view left_;  // of the frame
  std::optional<BackupTableId> table_;
  BackupRow raw_;
  TableSums sums_ = no_sums();
};

}  // namespace quell::storage
