#include "actors/timers.hpp"

#include <chrono>
#include <utility>

#include "actors/fatal.hpp"

namespace quell {

ThreadTimers::ThreadTimers(std::shared_ptr<FatalHandler> fatal)
    : fatal_(std::move(fatal)), thread_([this] { run(); }) {}

ThreadTimers::~ThreadTimers() {
  stop();
}

void ThreadTimers::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Millis ThreadTimers::now() const {
  return system_clock().monotonic();
}

Timers::Id ThreadTimers::after(Millis delay, std::function<void()> act) {
  const std::lock_guard lock(mutex_);
  const Id id{now() + std::max(delay, Millis{0}), ++last_};
  const bool earliest = table_.empty() || id < table_.begin()->first;
  table_.emplace(id, std::move(act));
  if (earliest) changed_.notify_one();
  return id;
}

bool ThreadTimers::cancel(const Id& id) {
  const std::lock_guard lock(mutex_);
  return table_.erase(id) == 1;
}

void ThreadTimers::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (table_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Millis due = table_.begin()->first.first;
    const Millis left = due - now();
    if (left > Millis{0}) {
      changed_.wait_for(lock, left);
      continue;
    }
    auto first = table_.extract(table_.begin());
    lock.unlock();
    guarded(*fatal_, ControlPlace::timers, first.mapped());
    lock.lock();
  }
}

Timers::Id ManualTimers::after(Millis delay, std::function<void()> act) {
  const std::lock_guard lock(mutex_);
  const Id id{now_ + std::max(delay, Millis{0}), ++last_};
  table_.emplace(id, std::move(act));
  return id;
}

bool ManualTimers::cancel(const Id& id) {
  const std::lock_guard lock(mutex_);
  return table_.erase(id) == 1;
}

Millis ManualTimers::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::size_t ManualTimers::waiting() const {
  const std::lock_guard lock(mutex_);
  return table_.size();
}

void ManualTimers::advance(Millis by) {
  std::unique_lock lock(mutex_);
  const Millis until = now_ + by;
  while (!table_.empty() && table_.begin()->first.first <= until) {
    auto first = table_.extract(table_.begin());
    now_ = std::max(now_, first.key().first);
    lock.unlock();
    first.mapped()();
    lock.lock();
  }
  now_ = until;
}

}  // namespace quell
