// Mark: the delete of one call. What nobody holds goes here and now; the rest gets a ticket and one
// holder row for each that can still act.
#pragma once

#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

class Mark {
 public:
  explicit Mark(WorkingSet& rows) : rows_(rows) {}
  static void want(const Batch& batch, WorkingSet::Wanted& wanted);
  std::vector<MarkedJob> apply(const MarkOp& op);

 private:
  void keep_call(const MarkOp& op);
  void note_joined(const MarkOp& op, const std::vector<MarkedJob>& answers);
  MarkedJob mark_one(JobId job, const MarkOp& op);
  void mark(JobEntry& job, const MarkOp& op, MarkedJob& answer);

  WorkingSet& rows_;
};

}  // namespace quell::storage::postgres
