// Who waits for the end of a task's delete. Each is answered once: when the task is gone, when its
// delete has failed, or when his time is up.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "actors/schedules/task_delete.hpp"

namespace quell {

class AwaitedTasks {
 public:
  using Answer = std::function<void(TaskDeleteReport)>;
  std::uint64_t add(const Uuid& task, Answer answer) {
    waiters_[++last_] = {task, std::move(answer)};
    return last_;
  }
  bool empty() const { return waiters_.empty(); }
  std::vector<Uuid> tasks() const {
    std::set<Uuid> all;
    for (const auto& [serial, waiter] : waiters_) all.insert(waiter.task);
    return {all.begin(), all.end()};
  }
  void over(const Uuid& task, const TaskDeleteReport& report) {
    std::erase_if(waiters_, [&](auto& one) {
      if (one.second.task != task) return false;
      one.second.answer(report);
      return true;
    });
  }
  void time_is_up(std::uint64_t waiter) {
    const auto at = waiters_.find(waiter);
    if (at == waiters_.end()) return;
    const Waiter one = std::move(at->second);
    waiters_.erase(at);
    one.answer({TaskFate::pending});
  }

 private:
  struct Waiter {
    Uuid task;
    Answer answer;
  };
  std::map<std::uint64_t, Waiter> waiters_;
  std::uint64_t last_ = 0;
};

}  // namespace quell
