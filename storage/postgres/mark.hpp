// Mark: the delete of one call. What nobody holds goes here and now; the rest gets a ticket and one
// holder row for each that can still act.
#pragma once

#include "storage/postgres/sheet.hpp"

namespace quell::storage::postgres {

class Mark {
 public:
  explicit Mark(Sheet& sheet) : sheet_(sheet) {}
  static void want(const Batch& batch, Sheet::Wanted& wanted);
  std::vector<MarkedJob> apply(const MarkOp& op);

 private:
  MarkedJob mark_one(JobId job, const MarkOp& op);
  void mark(JobEntry& job, const MarkOp& op, MarkedJob& answer);

  Sheet& sheet_;
};

}  // namespace quell::storage::postgres
