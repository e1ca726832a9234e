// The Clerk's connections: with one it writes by itself, with more it can hand batches to write
// workers that write at the same time. Knows which are busy, and with what.
#pragma once

#include <memory>
#include <vector>

#include "actors/node_context.hpp"
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
  // One writer is for the Clerk's own thread; several have a write worker each.
  WriterPool(caf::actor_system& system, std::vector<std::unique_ptr<storage::Writer>> writers,
             const NodeContext& context);
  bool several() const { return writers_.size() > 1; }
  bool busy() const { return busy_ > 0; }
  bool all_busy() const { return busy_ == writers_.size(); }
  storage::Writer& own();  // for the Clerk's thread, while nobody is busy
  // The first hand's writer remembers whose turn it is under a queue's limits: such claims are its
  // own, and what has none leaves it free as long as another is.
  bool first_is_free() const { return writers_.front().commit == nullptr; }
  // Returns which hand has it.
  std::size_t give(std::shared_ptr<Commit> commit, const caf::weak_actor_ptr& clerk);
  std::shared_ptr<Commit> take_back(std::size_t writer);
  void dismiss();

 private:
  struct PooledWriter {
    std::shared_ptr<storage::Writer> writer;
    caf::actor write_worker = {};
    std::shared_ptr<Commit> commit = {};
  };
  std::vector<PooledWriter> writers_;
  std::size_t busy_ = 0;
};

}  // namespace quell
