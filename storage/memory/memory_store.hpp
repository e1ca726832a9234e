// The Store without a disk: the oracle of the conformance suite, and what actors are tested on. It
// can be told to fail a commit, or to commit and lose the answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "storage/store.hpp"

namespace quell::storage {

// What becomes of one batch.
struct CommitFate {
  enum class Kind : std::uint8_t { commit, refuse, commit_and_lose_answer };
  Kind kind = Kind::commit;
  Error error = {};  // what the writer hears when refused
  // Called on the writer's thread when the commit is there for all to see, and its answer is not.
  std::function<void()> committed = {};
};

namespace memory {
struct Shared;
}

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::shared_ptr<memory::Shared> shared);
  Result<std::unique_ptr<Writer>> open_writer() override;
  Result<std::unique_ptr<Reader>> open_reader() override;
  Result<std::unique_ptr<Hints>> open_hints() override;
  Durability at_best() const override { return Durability::none; }
  bool shared() const override { return is_shared_; }
  int writers_wanted() const override { return 1; }

  // Called before each batch, on the writer's thread and without the lock, so it may wait or read.
  // An empty function takes it away.
  void on_commit(std::function<CommitFate(const Batch&)> fate);
  // Another store on the same data: what a restart finds.
  std::unique_ptr<MemoryStore> reopen() const;
  // Another store on the same data, for a second node in this process; both call themselves
  // shared from now on.
  std::unique_ptr<MemoryStore> share();
  // Without hints, as behind a pooler.
  void tell_hints(bool yes);

 private:
  bool is_shared_ = false;
  std::shared_ptr<memory::Shared> shared_;
};

// Refuses without `options.unsafe`: nothing in it outlives the process.
Result<std::unique_ptr<MemoryStore>> open_memory(const OpenOptions& options);

}  // namespace quell::storage
