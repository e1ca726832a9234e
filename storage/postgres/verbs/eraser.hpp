// The one place where rows of a job vanish, many jobs at a time. Whoever erases has marked the job
// before; the fence is the delete_id that the mark wrote, or the lock on a live row that goes with
// its mark.
#pragma once

#include <string>
#include <vector>

#include "storage/postgres/connection/pg_session.hpp"

namespace quell::storage::postgres {

struct Erasure {
  JobId job;
  DeleteId delete_id;
  JobState was = JobState::queued;
  Verdict verdict = Verdict::not_running;
  std::string who;
  Instant now, tomb_until;
  std::optional<Instant> copy_until;
  std::optional<Instant> due;  // of a scheduled job
  int epoch = 0, has = 0;
  std::string story = {};  // for the tombstone; read when it is written
  bool was_live = false;   // and is still where it was: the mark wrote nothing
};

// So many rows that get the same values are worth a statement of their own, without an array of
// each.
constexpr int many_alike = 16;

class Eraser {
 public:
  explicit Eraser(PgSession& session) : session_(session) {}
  void add(Erasure what) { pending_.push_back(std::move(what)); }
  void forget() { pending_.clear(); }
  void write();

 private:
  int erase_by_likeness();
  int erase_rows(const std::vector<Erasure>& all, bool live);

  PgSession& session_;
  std::vector<Erasure> pending_;
};

}  // namespace quell::storage::postgres
