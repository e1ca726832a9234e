// Every timer of a node: one ordered table, one thread that sleeps until the earliest. A cancelled
// timer is gone at once and keeps nothing alive, which CAF's delayed messages do not give.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/base/clock.hpp"

namespace quell {

class FatalHandler;

class Timers {
 public:
  using Id = std::pair<Millis, std::uint64_t>;  // when (monotonic), and which

  virtual ~Timers() = default;
  virtual Id after(Millis delay,
                   std::function<void()> act) = 0;  // `act` runs on the timers' thread: short
  virtual bool cancel(const Id& id) = 0;            // true: it had not fired and never will
  virtual Millis now() const = 0;
};

// The machine's clock and a thread.
class ThreadTimers final : public Timers {
 public:
  explicit ThreadTimers(std::shared_ptr<FatalHandler> fatal);
  ~ThreadTimers() override;
  Id after(Millis delay, std::function<void()> act) override;
  bool cancel(const Id& id) override;
  Millis now() const override;
  void stop();  // nothing fires any more; `after` and `cancel` stay harmless

 private:
  void run();

  std::shared_ptr<FatalHandler> fatal_;  // of what a timer throws
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Id, std::function<void()>> table_;
  std::uint64_t last_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

// A clock that stands until it is turned: timers fire inside `advance`, in order.
class ManualTimers final : public Timers {
 public:
  Id after(Millis delay, std::function<void()> act) override;
  bool cancel(const Id& id) override;
  Millis now() const override;
  void advance(Millis by);
  std::size_t waiting() const;

 private:
  mutable std::mutex mutex_;
  std::map<Id, std::function<void()>> table_;
  std::uint64_t last_ = 0;
  Millis now_{0};
};

}  // namespace quell
