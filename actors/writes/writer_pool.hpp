// The Clerk's connections: with one it writes by itself, with more it can give batches to write
// workers that write at the same time. Knows which are busy, and with what; plain state, no actor.
#pragma once

#include <memory>
#include <vector>

#include "actors/writes/pending_batch.hpp"
#include "storage/store.hpp"

namespace quell {

// A batch on its way, with those who asked for it.
struct Commit {
  explicit Commit(std::vector<Contribution> contributions)
      : parts(std::move(contributions)), joined(parts) {}
  std::vector<Contribution> parts;
  JoinedBatch joined;
};

class WriterPool {
 public:
  // The first is for the Clerk's own thread; with several a write worker uses each.
  explicit WriterPool(std::vector<std::shared_ptr<storage::Writer>> writers);
  bool several() const { return writers_.size() > 1; }
  bool busy() const { return busy_ > 0; }
  bool all_busy() const { return busy_ == writers_.size(); }
  storage::Writer& own();  // for the Clerk's thread, while nobody is busy
  // The first writer remembers whose turn it is under a queue's limits: such claims are its own,
  // and what has none leaves it free as long as another is.
  bool first_is_free() const { return writers_.front().commit == nullptr; }

  struct Given {
    std::size_t writer;  // which has it
    std::shared_ptr<const storage::Batch> batch;
  };
  Given give(std::shared_ptr<Commit> commit);
  std::shared_ptr<Commit> take_back(std::size_t writer);

 private:
  struct PooledWriter {
    std::shared_ptr<storage::Writer> writer;
    std::shared_ptr<Commit> commit = {};
  };
  std::vector<PooledWriter> writers_;
  std::size_t busy_ = 0;
};

}  // namespace quell
