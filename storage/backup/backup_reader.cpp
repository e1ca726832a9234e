#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/base/hex.hpp"
#include "storage/backup/backup_file.hpp"
#include "storage/backup/backup_head.hpp"

namespace quell::storage {

namespace {

Error damaged_rows(std::uint64_t frame) {
  return {ErrorCode::store_corrupt, fmt::format("frame {} of the backup holds no rows", frame)};
}

}  // namespace

Result<BackupReader> BackupReader::open(const std::string& path) {
  auto frames = FrameReader::open(path);
  if (!frames) return frames.error();
  BackupReader reader(std::move(*frames));
  if (auto read = reader.read_head(); !read) return read.error();
  return reader;
}

Result<void> BackupReader::read_head() {
  const auto got = frames_.next(frame_);
  if (!got) return got.error();
  if (!*got || frame_.type != FrameType::header)
    return Error{ErrorCode::store_corrupt, "the file has no header of a backup"};
  auto head = head_of(frame_.text);
  if (!head) return head.error();
  head_ = std::move(*head);
  layouts_.resize(backup_tables().size());
  for (const auto& [id, columns] : head_.tables) {
    Layout& layout = layouts_[static_cast<std::size_t>(id)];
    layout.there = true;
    layout.cells = columns.size();
    for (const BackupColumn& ours : backup_table(id).columns) {
      const auto at = std::find(columns.begin(), columns.end(), ours.name);
      layout.places.push_back(at == columns.end() ? -1 : static_cast<int>(at - columns.begin()));
    }
  }
  return {};
}

Result<bool> BackupReader::next_frame() {
  auto got = frames_.next(frame_);
  if (!got) return got;
  if (!*got)
    return Error{ErrorCode::store_corrupt,
                 fmt::format("the backup ends at byte {}, before its end", frames_.place().offset)};
  if (frame_.type == FrameType::trailer) {
    if (auto judged = judge_trailer(frame_.text); !judged) return judged.error();
    return false;
  }
  const std::size_t line = frame_.text.find('\n');
  if (frame_.type != FrameType::rows || line == std::string::npos)
    return damaged_rows(frames_.place().frame - 1);
  const std::string_view name = std::string_view(frame_.text).substr(0, line);
  const auto tables = backup_tables();
  table_.reset();
  for (std::size_t at = 0; at < tables.size(); ++at)
    if (tables[at].name == name && layouts_[at].there) table_ = static_cast<BackupTableId>(at);
  if (!table_) return damaged_rows(frames_.place().frame - 1);
  left_ = std::string_view(frame_.text).substr(line + 1);
  return true;
}

Result<void> BackupReader::judge_trailer(const std::string& text) {
  TableSums said;
  if (!sums_of(text, said))
    return Error{ErrorCode::store_corrupt, "the end of the backup cannot be read"};
  for (std::size_t at = 0; at < said.size(); ++at)
    if (!(said[at] == sums_[at]))
      return Error{ErrorCode::store_corrupt,
                   fmt::format("the backup has {} rows of {} where it says {}, or others",
                               sums_[at].rows, backup_tables()[at].name, said[at].rows)};
  Frame behind;
  const auto more = frames_.next(behind);
  if (more && !*more) return {};
  return Error{ErrorCode::store_corrupt, "something stands behind the end of the backup"};
}

Result<bool> BackupReader::next(BackupTableId& table, BackupRow& row) {
  while (left_.empty()) {
    auto more = next_frame();
    if (!more || !*more) return more;
  }
  const Layout& layout = layouts_[static_cast<std::size_t>(*table_)];
  const std::string_view before = left_;
  if (!decode_row(left_, layout.cells, raw_)) return damaged_rows(frames_.place().frame - 1);
  sums_[static_cast<std::size_t>(*table_)].add(before.substr(0, before.size() - left_.size()));
  table = *table_;
  row.resize(layout.places.size());
  for (std::size_t at = 0; at < row.size(); ++at) {
    if (layout.places[at] >= 0)
      std::swap(row[at], raw_[static_cast<std::size_t>(layout.places[at])]);
    else
      row[at].kind = Cell::Kind::absent;
  }
  return true;
}

Result<void> BackupReader::check_rest() {
  BackupTableId table{};
  BackupRow row;
  for (;;) {
    const auto more = next(table, row);
    if (!more) return more.error();
    if (!*more) return {};
  }
}

std::string BackupReader::place() const {
  nlohmann::json out{{"offset", frames_.place().offset},
                     {"frame", frames_.place().frame},
                     {"digest", hex(frames_.place().digest)},
                     {"sums", sums_text(sums_, 0)}};
  return out.dump();
}

Result<void> BackupReader::go_to(const std::string& place) {
  const Error bad{ErrorCode::store_corrupt, "where the check was interrupted cannot be read"};
  try {
    const nlohmann::json from = json_of_ours(place);
    FramePlace to;
    to.offset = from.at("offset").get<std::uint64_t>();
    to.frame = from.at("frame").get<std::uint64_t>();
    const auto digest = from_hex(from.at("digest").get<std::string>());
    if (!digest || digest->size() != to.digest.size()) return bad;
    std::copy(digest->begin(), digest->end(), to.digest.begin());
    TableSums sums = no_sums();
    if (!sums_of(from.at("sums").get<std::string>(), sums)) return bad;
    sums_ = std::move(sums);
    left_ = {};
    return frames_.go_to(to);
  } catch (const nlohmann::json::exception&) {
    return bad;
  }
}

}  // namespace quell::storage
