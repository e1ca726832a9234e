// The file of a backup: nothing of it can change without being found, and no half of it has a name.
#include <sys/stat.h>

#include "tests/storage/backup/backup_place.hpp"

namespace quell::storage {
namespace {

class BackupFiles : public BackupPlace {};

TEST_F(BackupFiles, AFlippedByteAnywhereIsFound) {
  const std::string url = fresh("sqlite");
  fill(url, 3, 300);
  ASSERT_TRUE(backup(url, "whole").ok());
  const std::string whole = bytes_of("whole");
  ASSERT_TRUE(verify_backup(path("whole"), {}).ok());
  // Every byte of a frame's head and of the ends, and one in every eleven between.
  for (std::size_t at = 0; at < whole.size(); at += at < 64 || at + 200 > whole.size() ? 1 : 11) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    write("damaged", damaged);
    const auto checked = verify_backup(path("damaged"), {});
    ASSERT_FALSE(checked.ok()) << "byte " << at;
    ASSERT_EQ(checked.error().code, ErrorCode::store_corrupt) << checked.error().detail;
  }
}

TEST_F(BackupFiles, ACutIsFoundWhereverItIs) {
  const std::string url = fresh("sqlite");
  fill(url, 4, 200);
  ASSERT_TRUE(backup(url, "whole").ok());
  const std::string whole = bytes_of("whole");
  for (std::size_t size = 0; size<whole.size(); size += size + 100> whole.size() ? 1 : 13) {
    write("cut", whole.substr(0, size));
    const auto checked = verify_backup(path("cut"), {});
    ASSERT_FALSE(checked.ok()) << size << " bytes of " << whole.size();
    ASSERT_EQ(checked.error().code, ErrorCode::store_corrupt);
  }
  write("longer", whole + "x");
  EXPECT_FALSE(verify_backup(path("longer"), {}).ok());
}

TEST_F(BackupFiles, IsItsOwnersAloneAndHasNoNameBeforeItIsWhole) {
  const std::string url = fresh("sqlite");
  fill(url, 5, 100);
  auto source = open_backup_source(url, "");
  ASSERT_TRUE(source.ok());
  BackupRequest request;
  request.path = path("interrupted");
  request.id = ids_.next();
  {
    BackupFile unfinished;
    BackupHead head;
    ASSERT_TRUE(unfinished.begin(request.path, head).ok());
    EXPECT_TRUE(std::filesystem::exists(path("interrupted.part")));
  }
  EXPECT_FALSE(std::filesystem::exists(path("interrupted")));
  EXPECT_FALSE(std::filesystem::exists(path("interrupted.part")));
  ASSERT_TRUE(make_backup(**source, request, clock_).ok());
  struct stat status {};
  ASSERT_EQ(::stat(request.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const auto again = make_backup(**source, request, clock_);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::store_unavailable);
}

TEST_F(BackupFiles, ACheckThatWasInterruptedGoesOnWhereItWas) {
  const std::string url = fresh("sqlite");
  fill(url, 6, 4'000);
  ASSERT_TRUE(backup(url, "whole").ok());
  std::uint64_t reached = 0;
  int frames = 0;
  const auto stopped = verify_backup(path("whole"), [&](const BackupProgress& progress) {
    reached = progress.done;
    return ++frames < 6;
  });
  ASSERT_FALSE(stopped.ok());
  ASSERT_TRUE(std::filesystem::exists(path("whole.verifying")));
  std::optional<std::uint64_t> first;
  const auto checked = verify_backup(path("whole"), [&](const BackupProgress& progress) {
    if (!first) first = progress.done;
    return true;
  });
  ASSERT_TRUE(checked.ok()) << to_string(checked.error());
  EXPECT_EQ(first, reached);
  EXPECT_FALSE(std::filesystem::exists(path("whole.verifying")));
}

TEST_F(BackupFiles, AnIdOrATextOfAnyBytesComesBackAsItWas) {
  BackupRow row(3), back;
  row[0] = {Cell::Kind::number, std::numeric_limits<std::int64_t>::min()};
  row[1].kind = Cell::Kind::bytes;
  row[1].bytes = std::string("\0\xff\n", 3);
  std::string encoded;
  encode_row(row, encoded);
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    std::string_view cut = std::string_view(encoded).substr(0, size);
    EXPECT_FALSE(decode_row(cut, 3, back)) << size;
  }
  std::string_view from = encoded;
  ASSERT_TRUE(decode_row(from, 3, back));
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(back[0].number, row[0].number);
  EXPECT_EQ(back[1].bytes, row[1].bytes);
  EXPECT_EQ(back[2].kind, Cell::Kind::null);
}

}  // namespace
}  // namespace quell::storage
