// The Clerk's connections: with one it writes by itself, with more it can hand batches to scribes
// that write at the same time. Knows which are busy, and with what.
#pragma once

#include <memory>
#include <vector>

#include "actors/cast.hpp"
#include "actors/pending_batch.hpp"
#include "storage/store.hpp"

namespace quell {

// A batch on its way, with those who asked for it.
struct Commit {
  explicit Commit(std::vector<Contribution> contributions)
      : parts(std::move(contributions)), joined(parts) {}
  std::vector<Contribution> parts;
  JoinedBatch joined;
};

class WritingHands {
 public:
  // One writer is for the Clerk's own thread; several have a scribe each.
  WritingHands(caf::actor_system& system, std::vector<std::unique_ptr<storage::Writer>> writers,
               bool own_threads);
  bool several() const { return hands_.size() > 1; }
  bool busy() const { return busy_ > 0; }
  bool all_busy() const { return busy_ == hands_.size(); }
  storage::Writer& own();  // for the Clerk's thread, while nobody is busy
  // The first hand's writer remembers whose turn it is under a queue's limits: such claims are its
  // own, and what has none leaves it free as long as another is.
  bool first_is_free() const { return hands_.front().commit == nullptr; }
  void give(std::shared_ptr<Commit> commit, const caf::weak_actor_ptr& clerk);
  std::shared_ptr<Commit> take_back(std::size_t hand);
  void dismiss();

 private:
  struct Hand {
    std::shared_ptr<storage::Writer> writer;
    caf::actor scribe = {};
    std::shared_ptr<Commit> commit = {};
  };
  std::vector<Hand> hands_;
  std::size_t busy_ = 0;
};

}  // namespace quell
