#include "tests/storage/store_factories.hpp"

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
  bool fail_next_commit() override {
    store_->on_commit([this](const Batch&) {
      store_->on_commit({});
      return CommitFate{CommitFate::Kind::refuse, {ErrorCode::store_unavailable, "by the test"}};
    });
    return true;
  }

 private:
  std::unique_ptr<MemoryStore> store_;
};

template <class T>
std::unique_ptr<TestStore> fresh() {
  return std::make_unique<T>();
}

}  // namespace

const std::vector<StoreFactory>& store_factories() {
  static const std::vector<StoreFactory> all{
      {"memory", fresh<MemoryTestStore>},
  };
  return all;
}

}  // namespace quell::storage
