#include "tests/storage/store_factories.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "storage/memory/memory_store.hpp"

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

template <class T>
std::unique_ptr<TestStore> fresh() {
  return std::make_unique<T>();
}

}  // namespace

const std::vector<StoreFactory>& store_factories() {
  static const std::vector<StoreFactory> all{
      {"memory", fresh<MemoryTestStore>},
      {"sqlite", fresh<SqliteTestStore>},
  };
  return all;
}

}  // namespace quell::storage
