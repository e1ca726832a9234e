// Batches that nobody would think of. The generator learns from the answers what exists, so that
// most operations meet something, and invents the rest.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/id.hpp"
#include "storage/batch.hpp"
#include "storage/reader.hpp"
#include "tests/storage/conformance/manual_clock.hpp"

namespace quell::storage {

class RandomBatches {
 public:
  explicit RandomBatches(std::uint64_t seed) : random_(seed) {}
  // `jobs_now`: how many there are; many make deletes likelier.
  Batch next(int operations, std::int64_t jobs_now);
  void learn(const Batch& batch, const Outcome& outcome);
  Instant now() const { return clock_.now(); }
  const std::vector<JobId>& jobs() const { return jobs_; }
  const std::vector<DeleteId>& deletes() const { return deletes_; }
  const std::vector<NodeLife>& lives() const { return lives_; }
  std::vector<Uuid> tasks() const;
  int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }

 private:
  struct Run {
    JobId job;
    int epoch = 0;
    NodeLife owner;
  };
  bool chance(int percent) { return below(100) < percent; }
  template <class T>
  T any(const std::vector<T>& from, const T& otherwise) {
    // Mostly what is new: it is still alive.
    if (from.empty()) return otherwise;
    const std::size_t window = chance(70) ? std::min<std::size_t>(from.size(), 25) : from.size();
    return from[from.size() - 1 - static_cast<std::size_t>(below(static_cast<int>(window)))];
  }
  std::string text();
  std::string word(const char* prefix, int kinds) { return prefix + std::to_string(below(kinds)); }
  JobId some_job() { return any(jobs_, ids_.next()); }
  Uuid some_task();
  NodeLife some_life() { return any(lives_, NodeLife{ids_.next(), 1}); }
  Instant soon() { return now() + Millis{below(20'000) - 5'000}; }
  std::vector<NewDelivery> some_deliveries();

  void add_steering(Batch& batch);
  void add_delete(Batch& batch);
  void add_run(Batch& batch);
  void add_rows(Batch& batch);
  void add_fleet(Batch& batch);
  void add_schedule(Batch& batch);
  void add_fire(Batch& batch);
  void add_task_delete(Batch& batch);
  void learn_schedules(const Batch& batch, const Outcome& outcome);
  void add_enqueue(Batch& batch);
  void add_mark(Batch& batch);
  void add_finish(Batch& batch);
  void add_flush(Batch& batch);
  void add_archive(Batch& batch);
  void add_recovery(Batch& batch);
  void unlearn(const Batch& batch, const Outcome& outcome);
  void learn_holders(const Batch& batch, const Outcome& outcome);

  std::mt19937_64 random_;
  ManualClock clock_;
  IdSource ids_{clock_};
  std::vector<JobId> jobs_;
  std::vector<Run> runs_;
  std::vector<std::pair<JobId, Holder>> holders_;
  std::vector<std::pair<Uuid, NodeLife>> flights_;
  std::vector<DeleteId> deletes_;
  std::vector<NodeLife> lives_;
  std::map<std::string, RoleResult> roles_;
  struct Task {
    std::int64_t version = 0;
    std::optional<Instant> next, waiting;
    std::string request;
    Instant next_try;
  };
  std::map<Uuid, Task> tasks_;
  std::int64_t sealed_ = 0;
};

}  // namespace quell::storage
