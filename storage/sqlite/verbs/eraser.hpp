// The one place where rows of a job vanish. Whoever erases has marked the job before; the fence is
// the delete_id that the mark wrote.
#pragma once

#include <string_view>

#include "storage/sqlite/connection/sqlite_session.hpp"
#include "storage/sqlite/verbs/archivist.hpp"

namespace quell::storage::sqlite {

struct Erasure {
  JobId job;
  DeleteId delete_id;
  JobState was = JobState::queued;
  Verdict verdict = Verdict::not_running;
  std::string_view who;
  Instant now, tomb_until;
  std::optional<Instant> copy_until;
};

class Eraser {
 public:
  explicit Eraser(SqliteSession& session);
  // The job is leaving under this delete_id: the caller has just marked it, or holds its ticket.
  void erase(const Erasure& what, const JobHead& head, Way way);

 private:
  std::string story_of(JobId job, int has);

  SqliteSession& session_;
  Archivist archivist_;
  Statement options_, usage_, attempts_, deliveries_;
  Statement tomb_, job_, payload_, result_, step_, partial_, log_, attempt_, delivery_, progress_,
      doubt_;
};

}  // namespace quell::storage::sqlite
