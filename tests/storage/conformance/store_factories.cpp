#include "tests/storage/conformance/store_factories.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "storage/memory/memory_store.hpp"
#include "tests/storage/postgres/postgres_roles.hpp"
#include "tests/storage/postgres/temporary_pgbouncer.hpp"
#include "tests/storage/postgres/temporary_postgres.hpp"

namespace quell::storage {

namespace {

class MemoryTestStore final : public TestStore {
 public:
  MemoryTestStore() {
    OpenOptions options;
    options.unsafe = true;
    auto opened = open_memory(options);
    QUELL_ASSERT(opened.ok());
    store_ = std::move(*opened);
  }
  Store& store() override { return *store_; }
  void reopen() override { store_ = store_->reopen(); }
  bool refuse_writes(bool on) override {
    CommitFate refused{CommitFate::Kind::refuse, {ErrorCode::store_full, "by the test"}};
    store_->on_commit({});
    if (on) store_->on_commit([refused](const Batch&) { return refused; });
    return true;
  }

 private:
  std::unique_ptr<MemoryStore> store_;
};

// The suite asks for what a store says, not whether the disk keeps it: in memory a sync costs
// nothing, and hundreds of fresh stores are made.
std::filesystem::path fast_folder() {
  const std::filesystem::path in_memory = "/dev/shm";
  return access(in_memory.c_str(), W_OK) == 0 ? in_memory : std::filesystem::temp_directory_path();
}

class SqliteTestStore final : public TestStore {
 public:
  SqliteTestStore() {
    std::string name = (fast_folder() / "quell-store-XXXXXX").string();
    QUELL_ASSERT(mkdtemp(name.data()));
    folder_ = name;
    reopen();
  }
  ~SqliteTestStore() override {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();  // it owns the file: the next one could not open it
    auto opened = open_store("sqlite:" + (folder_ / "quell.db").string(), {});
    QUELL_ASSERT(opened.ok());
    store_ = std::move(*opened);
  }
  // No file of this process may grow, and without a handler the system would kill us for trying.
  bool refuse_writes(bool on) override {
    rlimit size{};
    QUELL_ASSERT(getrlimit(RLIMIT_FSIZE, &size) == 0);
    size.rlim_cur = on ? 0 : size.rlim_max;
    QUELL_ASSERT(setrlimit(RLIMIT_FSIZE, &size) == 0);
    std::signal(SIGXFSZ, on ? SIG_IGN : SIG_DFL);
    return true;
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Store> store_;
};

// A new database takes a tenth of a second, emptying one a few milliseconds: they go from test to
// test. As many exist as stores were open at once.
class PostgresTestStore : public TestStore {
 public:
  PostgresTestStore() : PostgresTestStore(&PostgresTestStore::direct) {}
  ~PostgresTestStore() override {
    store_.reset();
    idle().push_back(database_);
  }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    auto opened = open_store(url_(database_), {});
    QUELL_ASSERT(opened.ok());
    store_ = std::move(*opened);
  }

 protected:
  // `url`: how a database is reached.
  explicit PostgresTestStore(std::string (*url)(const std::string& database)) : url_(url) {
    if (idle().empty()) {
      database_ = "store_" + std::to_string(++made_);
      TemporaryPostgres::shared().create_database(database_);
      make_roles(TemporaryPostgres::shared(), database_);
    } else {
      database_ = idle().back();
      idle().pop_back();
      empty();
    }
    reopen();
  }

 private:
  static std::string direct(const std::string& database) {
    return TemporaryPostgres::shared().url(database);
  }
  static std::vector<std::string>& idle() {
    static std::vector<std::string> databases;
    return databases;
  }
  // Behind the back of the laws, which allow no such thing.
  void empty() {
    TemporaryPostgres::shared().run(
        database_,
        "SET session_replication_role = replica;"
        "DELETE FROM job; DELETE FROM live; DELETE FROM payload;"
        "DELETE FROM result; DELETE FROM progress; DELETE FROM step;"
        "DELETE FROM partial; DELETE FROM log; DELETE FROM attempt;"
        "DELETE FROM delivery; DELETE FROM ticket; DELETE FROM holder;"
        "DELETE FROM doubt; DELETE FROM tomb; DELETE FROM call; DELETE FROM archive;"
        "DELETE FROM audit; DELETE FROM tally; DELETE FROM node;"
        "DELETE FROM lease; DELETE FROM doc; DELETE FROM queue_limit; DELETE FROM key_bucket;"
        " DELETE FROM schedule; DELETE FROM task_message; DELETE FROM forgotten;"
        "ALTER TABLE audit ALTER COLUMN no RESTART");
  }

  inline static int made_ = 0;
  std::string (*url_)(const std::string&);
  std::string database_;
  std::unique_ptr<Store> store_;
};

// The poorest way to the database that we promise to work with: as a role that may only read and
// write rows, through a pooler that gives each transaction another session. No hints.
class PooledTestStore final : public PostgresTestStore {
 public:
  PooledTestStore() : PostgresTestStore(&PooledTestStore::pooled) {}

 private:
  static std::string pooled(const std::string& database) {
    static TemporaryPgbouncer pooler(TemporaryPostgres::shared(), app_role);
    return pooler.url(database, "pooler=transaction");
  }
};

template <class T>
std::unique_ptr<TestStore> fresh() {
  return std::make_unique<T>();
}

}  // namespace

const std::vector<StoreFactory>& store_factories() {
  static const std::vector<StoreFactory> all{
      {"memory", fresh<MemoryTestStore>},
      {"sqlite", fresh<SqliteTestStore>},
      {"postgres", fresh<PostgresTestStore>},
      {"pooled", fresh<PooledTestStore>},
  };
  return all;
}

}  // namespace quell::storage
