// Tickets and holders: a delete that waits for somebody, and for whom. The ticket table is the
// durable queue of deletes; a ticket goes when its last holder has answered.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

struct Ticket {
  DeleteId delete_id;
  JobState was = JobState::queued;
  std::string who;
  Instant tomb_until;
  std::optional<Instant> copy_until;
  bool forced = false;
  std::optional<Instant> due;  // of a job that was scheduled
};

class Tickets {
 public:
  explicit Tickets(SqliteSession& session);
  void open(JobId job, const JobHead& head, const MarkOp& op, const std::vector<Holder>& holders);
  std::optional<Ticket> find(JobId job);
  std::vector<Holder> open_holders(JobId job);
  // False when there is no such holder, or it has answered before.
  bool answer(const VerdictOp& op);
  // Of those who have answered, and of lost owners that may still act; `waiting` is set when
  // somebody has not answered.
  Verdict joint_verdict(JobId job, bool& waiting);
  void close(JobId job);
  void set_forced(JobId job);
  bool apply(const TicketOp& op);

 private:
  SqliteSession& session_;
  Statement insert_, holder_, find_, holders_, answer_, verdicts_, doubts_, delete_holders_,
      delete_, forced_, state_, job_state_, note_;
};

}  // namespace quell::storage::sqlite
