#include "actors/effects/offload_pool.hpp"

#include <algorithm>
#include <exception>
#include <string>

namespace quell {

OffloadPool::~OffloadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [id, stop] : running_) stop.request_stop();
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

std::uint64_t OffloadPool::start(Work work, Done done) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t id = ++last_;
  queue_.push_back({id, std::move(work), std::move(done), {}});
  // Threads come when they are first needed: most nodes never block at all.
  if (idle_ < static_cast<int>(queue_.size()) &&
      static_cast<int>(threads_.size()) < threads_wanted_)
    threads_.emplace_back([this] { serve(); });
  changed_.notify_one();
  return id;
}

void OffloadPool::stop(std::uint64_t id) {
  std::unique_lock lock(mutex_);
  const auto waiting =
      std::find_if(queue_.begin(), queue_.end(), [id](const Item& item) { return item.id == id; });
  if (waiting != queue_.end()) {
    Done done = std::move(waiting->done);
    queue_.erase(waiting);
    lock.unlock();
    return done(false, {});
  }
  if (const auto running = running_.find(id); running != running_.end())
    running->second.request_stop();
}

void OffloadPool::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    Item item = std::move(queue_.front());
    queue_.pop_front();
    running_.emplace(item.id, item.stop);
    lock.unlock();
    guarded(*fatal_, ControlPlace::offload, [&] { run(item); });
    lock.lock();
  }
}

// What the work throws is its job's failure, and no fault of ours.
void OffloadPool::run(Item& item) {
  std::string failure;
  try {
    item.work(item.stop.get_token());
  } catch (const std::exception& error) {
    failure = error.what();
    if (failure.empty()) failure = "the work threw";
  } catch (...) {
    failure = "the work threw something unknown";
  }
  item.work = nullptr;  // what it captured dies before the job is told that it is over
  {
    const std::lock_guard lock(mutex_);
    running_.erase(item.id);
  }
  item.done(true, std::move(failure));
}

}  // namespace quell
