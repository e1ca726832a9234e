// What is special to the SQLite store: its file, its owner, its schema, and what happens to a batch
// that the law refuses. What all stores have in common is the conformance suite's.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "storage/migrate.hpp"
#include "storage/sqlite/connection/fault.hpp"
#include "storage/store.hpp"
#include "tests/places.hpp"

namespace quell::storage {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class SqliteFile : public testing::Test {
 protected:
  SqliteFile() {
    std::string name = (std::filesystem::temp_directory_path() / "quell-sqlite-XXXXXX").string();
    QUELL_ASSERT(mkdtemp(name.data()));
    folder_ = name;
  }
  ~SqliteFile() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file() const { return folder_ / "quell.db"; }
  Result<std::unique_ptr<Store>> open(bool migrate = true) {
    OpenOptions options;
    options.migrate = migrate;
    return open_store("sqlite:" + file().string(), options);
  }
  std::unique_ptr<Store> opened() {
    auto store = open();
    EXPECT_TRUE(store.ok()) << to_string(store.error());
    return std::move(*store);
  }
  ErrorCode refusal(bool migrate = true) {
    const auto store = open(migrate);
    if (store.ok()) return ErrorCode::internal;  // nothing here expects that
    detail_ = store.error().detail;
    return store.error().code;
  }

  // At the prompt of the file, past the store. Answers the first column of the first row.
  std::string by_hand(const std::string& sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
    std::string said;
    char* fault = nullptr;
    const auto first = [](void* out, int, char** columns, char**) {
      auto& text = *static_cast<std::string*>(out);
      if (text.empty() && columns[0]) text = columns[0];
      return 0;
    };
    sqlite3_exec(db, sql.c_str(), first, &said, &fault);
    if (fault) said = fault;
    sqlite3_free(fault);
    sqlite3_close(db);
    return said;
  }

  EnqueueOp submit(const std::string& args = "") {
    EnqueueOp op;
    op.job.id = ids_.next();
    op.job.kind = "noop";
    op.job.args = args;
    op.now = now_;
    return op;
  }
  std::vector<JobId> fill(Store& store, int jobs, const std::string& args = "") {
    auto writer = store.open_writer();
    Batch batch;
    std::vector<JobId> made;
    for (int i = 0; i < jobs; ++i) {
      batch.enqueues.push_back(submit(args));
      made.push_back(batch.enqueues.back().job.id);
    }
    const auto out = (*writer)->apply(batch);
    EXPECT_TRUE(out.ok()) << to_string(out.error());
    return made;
  }
  std::int64_t queued(Store& store) {
    std::int64_t n = 0;
    const auto rows = (*store.open_reader())->counts("");
    for (const CountRow& row : *rows)
      if (row.state == JobState::queued) n += row.n;
    return n;
  }

  std::filesystem::path folder_;
  std::string detail_;
  IdSource ids_{system_clock()};
  Instant now_ = system_clock().now();
};

TEST_F(SqliteFile, HasOneOwnerAndTellsTheSecondWhoThatIs) {
  auto first = opened();
  EXPECT_EQ(refusal(), ErrorCode::store_locked);
  EXPECT_NE(detail_.find(std::to_string(getpid())), std::string::npos) << detail_;
  first.reset();
  EXPECT_TRUE(open().ok());
}

TEST_F(SqliteFile, KeepsWhatWasCommittedWhenTheProcessDies) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto store = open();
    if (!store.ok()) _exit(1);
    fill(**store, 100);
    _exit(0);  // nothing is closed: what is not on disk now is lost
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  auto store = opened();  // the dead process's lock is free
  EXPECT_EQ(queued(*store), 100);
}

TEST_F(SqliteFile, LeavesNoBatchHalfWrittenWhenTheProcessIsKilled) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto store = open();
    if (!store.ok()) _exit(1);
    while (true) {
      fill(**store, 10);
      static_cast<void>(!write(ready[1], "x", 1));
    }
  }
  char byte = 0;
  for (int i = 0; i < 5; ++i) ASSERT_EQ(read(ready[0], &byte, 1), 1);
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ::close(ready[0]);
  ::close(ready[1]);
  auto store = opened();
  EXPECT_GE(queued(*store), 50);
  EXPECT_EQ(queued(*store) % 10, 0);
  EXPECT_EQ((*store->open_reader())->orphans().value(), std::vector<std::string>{});
}

TEST_F(SqliteFile, SaysThatItIsCorruptWhenItIsNoDatabase) {
  std::ofstream(file()) << std::string(8'192, 'x');
  EXPECT_EQ(refusal(), ErrorCode::store_corrupt);
}

TEST_F(SqliteFile, SaysThatItIsCorruptWhenAPageIsDamaged) {
  { fill(*opened(), 2'000); }
  const auto size = std::filesystem::file_size(file());
  ASSERT_GT(size, 100'000u);
  {
    std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
    for (std::size_t page = 4'096; page < size; page += 4'096) {
      out.seekp(static_cast<std::streamoff>(page));
      out << std::string(64, '\xff');
    }
  }
  auto store = open();
  Error met = store.ok() ? Error{ErrorCode::internal, "it was opened"} : store.error();
  if (store.ok()) {
    ListQuery query;
    const auto page = (*(*store)->open_reader())->list(query);
    ASSERT_FALSE(page.ok());
    met = page.error();
  }
  EXPECT_EQ(met.code, ErrorCode::store_corrupt) << met.detail;
}

TEST_F(SqliteFile, SaysThatItCannotBeReached) {
  const auto store = open_store("sqlite:" + (folder_ / "none" / "quell.db").string(), {});
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, ErrorCode::store_unavailable);
  std::filesystem::create_directory(file());
  EXPECT_EQ(refusal(), ErrorCode::store_unavailable);
}

TEST_F(SqliteFile, NeedsAPlace) {
  const auto nowhere = open_store("sqlite:", {});
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, ErrorCode::usage);
  OpenOptions options;
  options.data_dir = folder_.string();
  ASSERT_TRUE(open_store("sqlite:", options).ok());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "quell.db"));
}

TEST(SqliteFault, TellsAFullDiskFromAStoreThatIsAway) {
  EXPECT_EQ(sqlite::fault_of(SQLITE_FULL, nullptr, "write").error().code, ErrorCode::store_full);
  EXPECT_EQ(sqlite::fault_of(SQLITE_IOERR_WRITE, nullptr, "write").error().code,
            ErrorCode::store_unavailable);
  EXPECT_EQ(sqlite::fault_of(SQLITE_READONLY_DIRECTORY, nullptr, "write").error().code,
            ErrorCode::store_unavailable);
  EXPECT_EQ(sqlite::fault_of(SQLITE_CORRUPT_INDEX, nullptr, "read").error().code,
            ErrorCode::store_corrupt);
}

TEST_F(SqliteFile, RefusesASchemaThatItDoesNotKnow) {
  { opened(); }
  by_hand("PRAGMA user_version=99");
  EXPECT_EQ(refusal(), ErrorCode::store_schema);
  EXPECT_NE(detail_.find("99"), std::string::npos) << detail_;
}

TEST_F(SqliteFile, RefusesTheDatabaseOfAnotherProgram) {
  by_hand("CREATE TABLE recipes (name TEXT)");
  EXPECT_EQ(refusal(), ErrorCode::store_schema);
  EXPECT_EQ(by_hand("SELECT count(*) FROM sqlite_schema"), "1") << "it was changed";
}

TEST_F(SqliteFile, LeavesAnOldSchemaAloneWhenToldTo) {
  EXPECT_EQ(refusal(false), ErrorCode::store_schema);
  { opened(); }
  EXPECT_TRUE(open(false).ok());
}

TEST_F(SqliteFile, HasTheSchemaThatTheTreeShows) {
  { opened(); }
  const std::string dump = by_hand(
      "SELECT group_concat(sql || ';', char(10) || char(10)) || char(10) FROM"
      " (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid)");
  const std::filesystem::path shown = places::sources() + "/storage/schema/sqlite.sql";
  if (std::getenv("QUELL_WRITE_SCHEMA")) std::ofstream(shown) << dump;
  EXPECT_EQ(dump, read_file(shown)) << "run this test with QUELL_WRITE_SCHEMA=1";
}

TEST_F(SqliteFile, BringsBackALawThatAHandHasTakenAway) {
  { opened(); }
  const std::string laws = by_hand("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'");
  by_hand("DROP TRIGGER law_live_place");
  { opened(); }
  EXPECT_EQ(by_hand("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"), laws);
}

TEST_F(SqliteFile, RefusesAMoveByHand) {
  { fill(*opened(), 1); }
  EXPECT_EQ(by_hand("UPDATE live SET place = 0"), "law: no such move of a live job");
  EXPECT_EQ(by_hand("DELETE FROM job"), "law: only a job that is leaving may go");
}

TEST_F(SqliteFile, WritesTheRestOfABatchWhenOneOperationBreaksAConstraint) {
  auto store = opened();
  auto writer = store->open_writer();
  Batch batch;
  batch.enqueues = {submit(), submit(), submit()};
  const NewDelivery twice{ids_.next(), "endpoint", "job.queued", "{}", now_};
  batch.enqueues[0].deliveries = batch.enqueues[1].deliveries = {twice};
  const auto out = (*writer)->apply(batch);
  ASSERT_TRUE(out.ok()) << to_string(out.error());
  EXPECT_EQ(out->enqueues.at(0).answer, EnqueueAnswer::stored);
  EXPECT_EQ(out->enqueues.at(1).answer, EnqueueAnswer::refused);
  EXPECT_EQ(out->enqueues.at(2).answer, EnqueueAnswer::stored);
  EXPECT_EQ(queued(*store), 2);
  EXPECT_EQ((*store->open_reader())->orphans().value(), std::vector<std::string>{});
}

TEST_F(SqliteFile, LeavesNoByteOfAnErasedPayloadInTheFile) {
  const std::string secret = "SENTINEL-5f1e0c";
  {
    auto store = opened();
    MarkOp op;
    op.jobs = fill(*store, 50, "{\"key\":\"" + secret + "\"}");
    op.delete_id = ids_.next();
    op.now = op.tomb_until = now_;
    Batch batch;
    batch.marks = {op};
    ASSERT_TRUE((*store->open_writer())->apply(batch).ok());
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    EXPECT_EQ(read_file(entry.path()).find(secret), std::string::npos) << entry.path();
}

TEST_F(SqliteFile, LeavesNoByteOfAnErasedPayloadInTheLogOfAnIdleServer) {
  const std::string secret = "SENTINEL-77aa01";
  auto store = opened();
  MarkOp op;
  op.jobs = fill(*store, 50, "{\"key\":\"" + secret + "\"}");
  op.delete_id = ids_.next();
  op.now = op.tomb_until = now_;
  Batch batch;
  batch.marks = {op};
  auto writer = store->open_writer();
  ASSERT_TRUE((*writer)->apply(batch).ok());
  const auto is_anywhere = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      if (read_file(entry.path()).find(secret) != std::string::npos) return true;
    return false;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (is_anywhere() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(is_anywhere()) << "nothing more is written, so nothing would write over it";
}

TEST_F(SqliteFile, MovesTheLogIntoTheFileWithoutTheWriter) {
  auto store = opened();
  auto writer = store->open_writer();
  const auto before = std::filesystem::file_size(file());
  fill(*store, 5'000);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::filesystem::file_size(file()) < before + 500'000 &&
         std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_GE(std::filesystem::file_size(file()), before + 500'000);
}

TEST_F(SqliteFile, ListsAHistoryWithoutAnIndexInBoundedPages) {
  auto store = opened();
  auto writer = store->open_writer();
  std::set<JobId> tagged;
  for (int part = 0; part < 5; ++part) {
    Batch batch;
    for (int i = 0; i < 5'000; ++i) batch.enqueues.push_back(submit());
    batch.enqueues.front().job.options.tags = {"rare"};
    tagged.insert(batch.enqueues.front().job.id);
    ASSERT_TRUE((*writer)->apply(batch).ok());
  }
  const auto reader = store->open_reader();
  ListQuery query;
  query.filter.tag = "rare";
  std::set<JobId> found;
  int partial = 0;
  while (true) {
    const auto page = (*reader)->list(query);
    ASSERT_TRUE(page.ok()) << to_string(page.error());
    partial += page->is_partial;
    for (const JobView& job : page->jobs) EXPECT_TRUE(found.insert(job.id).second);
    if (!page->next) break;
    query.after = page->next;
  }
  EXPECT_EQ(found, tagged);
  EXPECT_EQ(partial, 1);
}

}  // namespace
}  // namespace quell::storage
