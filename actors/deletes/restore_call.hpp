// One restore from its asking to its report: page after page of the copies is read and written, so
// that an undo of any size needs the memory of one page. It lives in the answers that it waits for.
#pragma once

#include <functional>
#include <memory>

#include "actors/deletes/restore_report.hpp"
#include "actors/node_context.hpp"

namespace quell {

class RestoreCall : public std::enable_shared_from_this<RestoreCall> {
 public:
  using Answer = std::function<void(Result<RestoreReport>)>;

  static void begin(std::shared_ptr<NodeContext> context, RestoreRequest request, Answer answer);
  RestoreCall(std::shared_ptr<NodeContext> context, RestoreRequest request, Answer answer);

 private:
  void next();
  bool by_pages() const { return request_.delete_id || request_.matching; }
  storage::CopyQuery query() const;
  void count_matches();
  void read_page();
  void write(std::vector<JobId> jobs);
  void written(const std::vector<JobId>& jobs, Result<storage::Outcome> outcome);
  void note(JobId job, storage::RestoreResult result);

  std::shared_ptr<NodeContext> context_;
  RestoreRequest request_;
  Answer answer_;
  RestoreReport report_;
  Instant began_;  // what is deleted from then on stays deleted
  bool is_counted_ = false;
  std::size_t at_ = 0;                // of the jobs that were named
  std::optional<JobId> after_;        // of the copies of the delete
  std::vector<RestoreOutcome> fine_;  // of an undo: listed behind what failed
};

}  // namespace quell
