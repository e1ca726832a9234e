// The queue of orders to delete a task, as its publisher and its consumer see it. A message that is
// taken comes back when its lease is over; only an acknowledgement ends it, and that is the removal
// of the task itself.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "actors/node_context.hpp"

namespace quell {

class TaskQueue {
 public:
  template <class T>
  using Answer = std::function<void(Result<T>)>;
  virtual ~TaskQueue() = default;

  // The answer comes when the messages are stored and their tasks fire no more, which is one
  // commit; or with an error, and then neither is so. What else `orders` has is written with them.
  virtual void publish(std::shared_ptr<storage::Batch> orders, Answer<storage::Outcome> answer) = 0;
  // `leased_too`: also what somebody has taken, who may be no more.
  virtual void due(int most, bool leased_too, Answer<std::vector<storage::TaskMessage>> answer) = 0;
  // False: somebody else has taken it.
  virtual void lease(const storage::TaskMessage& message, Millis time, Answer<bool> answer) = 0;
  // `was_approved`: the note of that goes too.
  virtual void acknowledge(const storage::TaskMessage& message, const std::string& detail,
                           bool was_approved, Answer<bool> answer) = 0;
  // What is not done: again later, or put aside for good, with the reason.
  virtual void put_back(storage::TaskMessage message, storage::TaskWord word) = 0;
};

// In the node's store, through its Clerk.
std::unique_ptr<TaskQueue> make_task_queue(std::shared_ptr<NodeContext> context);

}  // namespace quell
