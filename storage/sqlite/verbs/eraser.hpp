// The one place where rows of a job vanish. Whoever erases has marked the job before; the fence is
// the delete_id that the mark wrote.
#pragma once

#include <string_view>

#include "storage/sqlite/connection/sqlite_session.hpp"
#include "storage/sqlite/verbs/archivist.hpp"
#include "storage/sqlite/verbs/erase_many.hpp"

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

// A tombstone of an earlier life of the job, which was restored since, is written over.
#define QUELL_INSERT_TOMB                                                              \
  "INSERT INTO tomb (id, delete_id, epoch, at, until, prior, verdict, story, project," \
  " queue, kind, attempt, lost, started, finished, node, schedule)"
#define QUELL_OVER_OLD_TOMB                                                      \
  " ON CONFLICT (id) DO UPDATE SET"                                              \
  " delete_id = excluded.delete_id, epoch = excluded.epoch, at = excluded.at,"   \
  " until = excluded.until, prior = excluded.prior, verdict = excluded.verdict," \
  " story = excluded.story, project = excluded.project, queue = excluded.queue," \
  " kind = excluded.kind, attempt = excluded.attempt, lost = excluded.lost,"     \
  " started = excluded.started, finished = excluded.finished,"                   \
  " node = excluded.node, schedule = excluded.schedule, restored_epoch = NULL"

class Eraser {
 public:
  explicit Eraser(SqliteSession& session);
  // The job is leaving under this delete_id: the caller has just marked it, or holds its ticket.
  void erase(const Erasure& what, const JobHead& head, Way way);
  // The same of marks that nothing waits for: all of them, when the last is known.
  void begin_marked() { many_.begin(); }
  void add_marked(const Erasure& what, const JobHead& head);
  void write_marked(const MarkOp& op) { many_.write(op); }

 private:
  std::string story_of(JobId job, int has);
  void tell_erased(const Erasure& what, const JobHead& head, Way way);

  SqliteSession& session_;
  Archivist archivist_;
  EraseMany many_;
  Statement options_, usage_, attempts_, deliveries_;
  Statement tomb_, job_, payload_, result_, step_, partial_, log_, attempt_, delivery_, progress_,
      doubt_;
};

}  // namespace quell::storage::sqlite
