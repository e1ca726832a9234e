// The vacuum of `live`, on a thread and a connection of its own. Each claim and each finish leaves
// a dead row at the head of the queue's index; without this the drain slows to a tenth in half a
// minute.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "storage/postgres/connection/address.hpp"

namespace quell::storage::postgres {

class Upkeep {
 public:
  explicit Upkeep(Address address);
  ~Upkeep();
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;
  // So many rows of `live` have died. Cheap.
  void churned(std::size_t rows) { churn_ += rows; }

 private:
  void run();

  Address address_;
  std::atomic<std::size_t> churn_ = 0;
  std::mutex mutex_;
  std::condition_variable stop_asked_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace quell::storage::postgres
