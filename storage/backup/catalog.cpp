#include "storage/backup/catalog.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "storage/backup/backup_head.hpp"

namespace quell::storage {

namespace {

constexpr std::string_view by_timetable = "quell-2";
constexpr std::size_t trailer_most = 64 << 10, frame_head = 9, digest_size = 32;

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t n = 4; n-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[at + n]);
  return value;
}

// The trailer is the last frame, and small: the place from which its size reaches the end.
std::string trailer_of(const std::string& path, std::uint64_t bytes) {
  const std::size_t size = std::min<std::uint64_t>(bytes, trailer_most);
  std::string tail(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(bytes - size));
  if (!file.read(tail.data(), static_cast<std::streamsize>(size))) return {};
  for (std::size_t at = size; at-- > 0;) {
    if (tail[at] != static_cast<char>(FrameType::trailer)) continue;
    if (size - at < frame_head + digest_size) continue;
    const std::size_t text = size - at - frame_head - digest_size;
    if (number_at(tail, at + 1) == text && number_at(tail, at + 5) == text)
      return tail.substr(at + frame_head, text);
  }
  return {};
}

ListedBackup listed(const std::filesystem::directory_entry& entry) {
  ListedBackup one;
  one.path = entry.path().string();
  one.name = entry.path().filename().string();
  one.rotates = one.name.starts_with(by_timetable);
  std::error_code gone;
  one.bytes = entry.file_size(gone);
  const auto reader = BackupReader::open(one.path);
  if (!reader) {
    one.fault = reader.error().detail;
    return one;
  }
  one.head = reader->head();
  const std::string text = trailer_of(one.path, one.bytes);
  const nlohmann::json end = json_of_ours(text);
  if (!end.is_object() || !end.contains("ended") || !sums_of(text, one.sums)) {
    one.fault = "it has no end: it was cut off";
    return one;
  }
  one.ended = Instant{Millis{end.value("ended", std::int64_t{0})}};
  return one;
}

}  // namespace

std::string backup_name(Instant moment, const Uuid& id, bool by_hand) {
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(moment);
  const std::time_t time = seconds.time_since_epoch().count();
  return fmt::format("quell-{}{:%Y%m%dT%H%M%SZ}-{}{}", by_hand ? "hand-" : "", fmt::gmtime(time),
                     id.text().substr(24), backup_suffix);
}

Result<std::vector<ListedBackup>> list_backups(const std::string& dir) {
  std::error_code fault;
  std::vector<ListedBackup> all;
  std::filesystem::directory_iterator entries(dir, fault);
  if (fault) return Error{ErrorCode::store_unavailable, dir + ": " + fault.message()};
  for (const auto& entry : entries)
    if (entry.path().extension() == backup_suffix) all.push_back(listed(entry));
  std::sort(all.begin(), all.end(), [](const ListedBackup& a, const ListedBackup& b) {
    return std::pair(a.head.moment, a.name) < std::pair(b.head.moment, b.name);
  });
  return all;
}

Result<std::vector<std::string>> rotate_backups(const std::string& dir, const BackupKeep& keep) {
  auto all = list_backups(dir);
  if (!all) return all.error();
  std::erase_if(*all, [](const ListedBackup& one) { return !one.rotates || !one.fault.empty(); });
  std::vector<Instant> moments;
  for (const ListedBackup& one : *all) moments.push_back(one.head.moment);
  std::vector<std::string> gone;
  for (const std::size_t at : backups_to_remove(moments, keep)) {
    if (::unlink((*all)[at].path.c_str()) != 0)
      return Error{ErrorCode::store_unavailable, (*all)[at].path + " cannot be removed"};
    gone.push_back((*all)[at].name);
  }
  return gone;
}

}  // namespace quell::storage
