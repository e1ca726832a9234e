// Mark: the delete of one call, in one transaction. What nobody holds goes here and now; the rest
// gets a ticket and one holder row for each that can still act.
#pragma once

#include "storage/sqlite/verbs/eraser.hpp"
#include "storage/sqlite/verbs/tickets.hpp"

namespace quell::storage::sqlite {

class Mark {
 public:
  Mark(SqliteSession& session, Eraser& eraser, Tickets& tickets);
  std::vector<MarkedJob> apply(const MarkOp& op);

 private:
  void keep_call(const MarkOp& op);
  void note_joined(const MarkOp& op, const std::vector<MarkedJob>& answers);
  MarkedJob mark_one(JobId job, const MarkOp& op);
  std::string protection_of(JobId job, const JobHead& head, const MarkOp& op);
  void mark(const JobHead& head, const MarkOp& op, MarkedJob& answer);
  void leave(const JobHead& head, const MarkOp& op, const MarkedJob& answer);
  void erase(const JobHead& head, const MarkOp& op, MarkedJob& answer);
  void collect_holders(const JobHead& head, MarkedJob& answer);
  void hold(const JobHead& head, const MarkOp& op, const MarkedJob& answer);

  SqliteSession& session_;
  Eraser& eraser_;
  Tickets& tickets_;
  Statement call_, slice_, note_, set_note_, job_, live_, waiting_, flying_, hold_deliveries_,
      options_;
};

}  // namespace quell::storage::sqlite
