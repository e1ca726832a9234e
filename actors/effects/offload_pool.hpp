// Blocking work of jobs, on threads of its own: it can occupy these and nothing else. Stopped by
// its stop_token only.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "actors/fatal.hpp"

namespace quell {

class OffloadPool {
 public:
  using Work = std::function<void(std::stop_token)>;
  // `failure` is "" when the work returned, what() when it threw; `ran` is false when it was
  // stopped before it began.
  using Done = std::function<void(bool ran, std::string failure)>;

  OffloadPool(int threads, std::shared_ptr<FatalHandler> fatal)
      : threads_wanted_(threads), fatal_(std::move(fatal)) {}
  ~OffloadPool();

  std::uint64_t start(Work work, Done done);
  void stop(std::uint64_t id);

 private:
  struct Item {
    std::uint64_t id;
    Work work;
    Done done;
    std::stop_source stop;
  };
  void serve();
  void run(Item& item);

  const int threads_wanted_;
  const std::shared_ptr<FatalHandler> fatal_;  // of what is not the work's own throw
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> queue_;
  std::map<std::uint64_t, std::stop_source> running_;
  std::uint64_t last_ = 0;
  int idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace quell
