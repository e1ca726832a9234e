// One call's jobs on their way to the store: cut into short transactions, answered once, when the
// last is written.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "actors/messages.hpp"

namespace quell {

class Submission : public std::enable_shared_from_this<Submission> {
 public:
  using Answer = std::function<void(Result<std::vector<storage::EnqueueResult>>)>;

  // `settled` is called for each slice with the number of its jobs, before the answer.
  static std::vector<WriteOps> slices(std::vector<NewJob> jobs, std::size_t slice_max, Instant now,
                                      std::function<void(std::size_t)> settled, Answer answer);

 private:
  void written(std::size_t first, Result<storage::Outcome> outcome);

  std::mutex mutex_;
  std::vector<storage::EnqueueResult> results_;
  std::size_t slices_left_ = 0;
  std::optional<Error> error_;
  Answer answer_;
};

}  // namespace quell
