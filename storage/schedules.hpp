// Schedules as they are stored, and what can be written of them. Included by batch.hpp, whose words
// these are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "runtime/law/job.hpp"
#include "runtime/law/schedule_status.hpp"
#include "storage/audit_op.hpp"
#include "storage/new_delivery.hpp"
#include "storage/steer_ops.hpp"

namespace quell::storage {

// A row. `version` counts what people change, not the fires.
struct ScheduleRow {
  Uuid id;
  std::string project = "default", group = {}, name = {};
  ScheduleStatus status = ScheduleStatus::active;
  std::int64_t version = 0;
  std::string terms = {};  // JSON, of ScheduleTerms
  Instant created, changed;
  std::optional<Instant> next = {};     // the due time that it waits for
  std::optional<Instant> wake = {};     // when to look at it: `next` and its jitter, or `waiting`
  std::optional<Instant> waiting = {};  // a due time that waits for the job before it to end
  std::optional<Instant> last = {};     // the due time that fired last, and its job
  std::optional<JobId> last_job = {};
  std::int64_t fired = 0, missed = 0, overlaps = 0;
  std::string error = {};  // why its delete failed
};

struct ScheduleQuery {
  std::string project = {}, group = {};  // "" = any
  std::optional<ScheduleStatus> status = {};
  std::optional<Instant> due_by =
      {};  // active, and to be looked at until then: by `wake`, else by id
  // Its delete stands still since before: it failed then, or its order was to be tried then.
  std::optional<Instant> leaving_since = {};
  std::optional<Uuid> after = {};  // ids above this one
  int limit = 50;
};

// The order to delete a task, until it is done: the durable queue's message.
struct TaskMessage {
  Uuid task;
  std::string project = {};
  Instant requested_at;
  std::string request_id = {};
  std::string who = {}, reason = {};
  JobsOfTask jobs = JobsOfTask::remove;
  int tries = 0;
  Instant next_try;
  std::string error = {};
};

// Creates or changes one; never one that is leaving. Counters and what fired last stay.
struct SchedulePutOp {
  ScheduleRow row;  // id, project, group, name, status, terms, next, wake are read
  Instant now;
  std::optional<std::int64_t> if_version = {};  // 0: must not exist
  bool keep_times = false;  // of what it waits for nothing changes: next, wake, waiting stay
  bool look_anew = false;   // keep_times: it is looked at now, for its part of the jitter changed
  // Else what it waited for fires no more, and was missed: one that waits for the job before it,
  // and what is due, which is `overdue` when that begins with `if_next`.
  std::optional<Instant> if_next = {};
  std::int64_t overdue = 0;
  std::optional<AuditOp> audit = {};  // if it is written
};
struct SchedulePutResult {
  bool written = false;
  std::int64_t version = 0;                   // now, also when refused; 0: none
  std::optional<ScheduleStatus> status = {};  // now; nothing: none
};

// One look at a schedule that is due: its jobs are born and its next time is set in one
// transaction, or nothing happens.
struct FireJob {
  Instant due;
  NewJob job;
  std::vector<NewDelivery> deliveries = {};  // of its birth
};
struct FireOp {
  Uuid task;
  std::int64_t version = 0;
  Instant now;
  bool by_hand = false;  // also of a disabled one; moves no time, asks for no overlap
  std::optional<std::int64_t> if_version = {};           // by hand: only of this one
  std::optional<Instant> if_next = {}, if_waiting = {};  // as they were read
  std::vector<FireJob> jobs = {};  // the one that waited first, then by due time
  Overlap overlap = Overlap::allow;
  std::int64_t missed = 0;
  std::optional<Instant> next = {}, wake = {};
  Instant look_again;                   // `wake` while one waits for the job before it
  UntilByQueue cancelled_expires = {};  // cancel_old: of the records of what it cancels
  std::optional<AuditOp> audit = {};    // if one is born
};
enum class FireAnswer : std::uint8_t {
  fenced,     // gone, not active, or changed since it was read
  fired,      // what was to be born is
  held_back,  // the overlap policy kept all of it back, or each was born before
  changed     // it has another version than the one that was asked for
};
struct FireResult {
  FireAnswer answer = FireAnswer::fenced;
  std::vector<JobId> born = {};
  std::vector<std::string> queues = {};  // of these
  // cancel_old: what lived before, and what became of it in this same commit.
  std::vector<std::pair<JobId, SteerResult>> cancelled = {};
  std::int64_t overlaps = 0;
  bool waits = false;        // one waits for the job before it
  std::int64_t version = 0;  // changed: now
  // The last one whose unique key one that was to be born would have had.
  std::optional<JobId> existing = {};
  JobState existing_state = JobState::queued;
};

// The intent to delete: from this commit on it never fires again. Of several orders for one the
// first stands, until one deletes more of its jobs: that one then takes its place from the time of
// the first on, and what is still done for the first is fenced.
struct TaskDeleteOp {
  TaskMessage message;  // its project: "" = any
  Instant now;
  std::optional<std::int64_t> if_version = {};  // of one that is being deleted not asked for
  std::optional<AuditOp> audit = {};            // if it is there and has that version
};
enum class TaskDeleteAnswer : std::uint8_t { gone, scheduled, joined, changed };
struct TaskDeleteResult {
  TaskDeleteAnswer answer = TaskDeleteAnswer::gone;
  std::string project = {}, name = {};
  std::int64_t version = 0;              // changed: now
  JobsOfTask jobs = JobsOfTask::remove;  // scheduled, joined: of the order that stands now
};
inline bool is_changed(const std::optional<std::int64_t>& wanted, std::int64_t version) {
  return wanted && *wanted != version;
}

// What became of a message. Each is fenced by the request that it is of.
enum class TaskWord : std::uint8_t {
  lease,    // whoever writes this first works on it until `next_try`
  retry,    // not done: again at `next_try`, with the error
  give_up,  // the message is put aside, and the task is DELETE_FAILED with the error
  again     // a stuck task: PENDING_DELETE, and due at `next_try` with no try behind it
};
inline constexpr Instant put_aside{Millis{253'402'300'799'000}};  // the `next_try` of such a one
struct TaskWordOp {
  TaskMessage message;  // task, request_id, next_try, error; of `again` all, should none be there
  TaskWord word = TaskWord::lease;
  std::optional<Instant> if_next_try = {};  // of a lease: as it was read
  Instant now;
};

// The end of a task: row and message go, and whoever listens is told in the same transaction.
struct TaskEraseOp {
  Uuid task;
  std::string request_id;
  Instant now;
  std::string detail;  // JSON, of its audit row
};

}  // namespace quell::storage
