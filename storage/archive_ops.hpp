// What can be written of the copies of erased jobs, and of what was to be kept only for a while.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "runtime/law/job_machine.hpp"
#include "runtime/law/protection.hpp"
#include "storage/until_by_queue.hpp"

namespace quell::storage {

// ---- restore: an erased job comes back from its copy
// ---------------------------------------------------------------------------
struct RestoreOp {
  JobId job;
  std::optional<DeleteId> delete_id = {};  // only the copy that this delete left
  std::string who, project = {};           // "" = any project's
  Instant now;
  bool rerun = false;     // what ran is queued again; else it comes back cancelled
  bool drop_key = false;  // comes back without its unique key when that is taken
  // Of what this refuses only what is at rest comes back. Asked by the writer's thread.
  std::function<bool(const std::string& kind, const std::string& args)> refuses = {};
  UntilByQueue cancelled_expires = {};  // of what ran
};
enum class RestoreAnswer : std::uint8_t {
  restored,
  no_copy,          // none was kept, or it has come to its end, or went back before
  id_taken,         // the job is there, or is still held under a forced delete
  unique_conflict,  // a live job has its key
  refused,          // it would run, and is refused
  damaged           // the copy cannot be read
};
struct RestoreResult {
  RestoreAnswer answer = RestoreAnswer::no_copy;
  JobState was = JobState::queued;    // when it was deleted
  JobState state = JobState::queued;  // now
  int epoch = 0;
  DeleteId delete_id;  // that is undone
  JobId existing;      // unique_conflict
  std::string queue = {};
  std::optional<Instant> due = {};  // of a scheduled one
};

// ---- expire: what was to be kept only for a while goes
// -------------------------------------------------------------------------
// Of records the delete itself makes an end; these have none of its steps, since nobody can act for
// a copy or a result.
struct ExpireOp {
  enum class What : std::uint8_t { copies, results };
  What what = What::copies;
  Instant now;
  std::string who = {};
  DeleteId sweep = {};  // names the audit row of ended results
  int limit = 0;
  ProtectionPtr protection = {};  // of results
};
struct ExpireResult {
  int ended = 0;
  bool more = false;  // as many as the limit: there may be more
};

}  // namespace quell::storage
