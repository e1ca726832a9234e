// What can be read. A Reader belongs to one thread at a time and never waits for a writer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/policy/store_snapshot.hpp"
#include "storage/batch.hpp"

namespace quell::storage {

// What is told of a job's life when it is gone. A tombstone of an earlier version tells nothing of
// it: its project is "".
struct JobLife {
  std::string project, queue, kind;
  int attempt = 0, lost = 0;
  std::optional<Instant> started, finished;
  std::optional<NodeId> ran_on;
  std::string schedule, story;  // story: see runtime/policy/tomb_story.hpp
};

struct Tombstone {
  JobId job;
  DeleteId delete_id;
  Instant at, until;
  JobState was = JobState::queued;
  Verdict verdict = Verdict::not_running;
  std::string who, reason;                 // of the call, "" when it is no longer kept
  std::optional<Instant> copy_until = {};  // a copy of the job is kept until then
  bool restored = false;                   // the job has come back since
  JobLife life = {};
};

// The copy of an erased job, without its contents.
struct CopyHead {
  JobId job;
  DeleteId delete_id;
  std::string project, queue, kind;
  JobState was = JobState::queued;
  Instant at, until;  // deleted; kept until
  std::int64_t bytes = 0;
};
struct CopyView {
  CopyHead head;
  JobView job;  // as it was when it was deleted
  std::vector<AttemptRecord> attempts = {};
  std::vector<StepResult> steps = {};
  std::vector<std::string> partials = {};
  std::vector<LogLine> logs = {};
};
struct CopyQuery {
  std::string project = {}, queue = {}, kind = {};  // "" = any
  std::vector<JobState> was = {};
  std::optional<DeleteId> delete_id = {};
  std::optional<JobId> after = {};  // keyset: ids below this one, newest first
  Instant now;                      // what has ended by then is not shown
  int limit = 50;
};

// What goes when: due now, within a day, within a week of that, later.
struct ExpiryFigures {
  std::int64_t due = 0, day = 0, week = 0, later = 0;
};
struct ExpiryRow {
  std::string queue;
  JobState state = JobState::succeeded;
  ExpiryFigures n;
};
struct ExpiryReport {
  std::vector<ExpiryRow> records;
  ExpiryFigures results, copies;
  bool is_partial = false;  // of each no more were counted than was asked for, the soonest first
};

// A row that still names a job.
struct Remnant {
  JobId job;
  std::string table, column;
  std::int64_t rows = 0;
};

// A job by id: as it is, or what is left of it.
struct Found {
  std::optional<JobView> job;
  std::optional<Tombstone> tomb;
};

struct JobFilter {
  std::string project = {};  // "" = any
  std::vector<JobState> states = {};
  std::string queue = {}, kind = {}, tag = {}, schedule = {};
  std::optional<Instant> created_from = {}, created_before = {};
};
struct ListQuery {
  JobFilter filter;
  std::optional<JobId> after = {};  // keyset: ids below this one, newest first
  int limit = 50;
  bool with_payload = false;  // args, result
};
struct JobPage {
  std::vector<JobView> jobs;
  bool is_partial = false;  // more may follow: an unindexed filter met its bound
  std::optional<JobId> next;
};
// What a filter finds, without what only a view needs: for whoever counts or acts on all of it.
struct FoundByFilter {
  JobId job;
  JobState state = JobState::queued;
  std::string queue, kind;
};
struct MatchPage {
  std::vector<FoundByFilter> jobs;  // newest first
  std::optional<JobId> next;        // more may follow, also behind a page that is not full
};
// What a job calls, and what that has used so far: its arguments and usage as they are stored.
struct OutboundView {
  JobId job;
  std::string args, usage;
};
struct CountRow {
  std::string queue;
  JobState state;
  std::int64_t n = 0;
};
struct DeliveryView {
  Uuid id;
  JobId job;
  std::string endpoint, event, log;
  int tries = 0;
  bool in_flight = false;
  std::optional<Instant> due;
  std::string body = {};
};
struct TicketView {
  JobId job;
  DeleteId delete_id;
  JobState state = JobState::pending_delete;
  JobState was = JobState::queued;
  std::string who, reason, error;
  Instant at;
  int tries = 0;
  std::optional<Instant> next_try;
  std::vector<Holder> open;
  bool forced = false;
};
struct CallView {
  DeleteId delete_id;
  std::string who, reason, path, counts, receipt;  // counts, receipt: JSON, "" until final
  Instant at;
  bool is_marked = true;  // every slice of it; see call_slices.hpp
  // Jobs that were being deleted already when it was marked: they have another call's tickets. Not
  // known any more once the counts are final.
  std::vector<JobId> joined = {};
  bool joined_more = false;  // and more than are noted
};
struct NodeView {
  NodeLife owner;
  std::int64_t beat = 0;
  bool gone = false;
  std::string info;
};
struct Doc {
  std::string kind, id, project, body;
  std::int64_t version = 0;
};
struct AuditRow {
  std::int64_t no = 0;
  Instant at;
  std::string who, what, ref, detail, digest, hash;  // hash: "" until sealed
};
// What a node must do for others: own holders without verdict, and own runs with a requested
// cancel.
struct Orders {
  std::vector<std::pair<JobId, Holder>> holders;
  std::vector<std::pair<JobId, int>> cancel_requests;  // and their epoch
};
// All that is kept under an id, whatever it names, but the job itself: that is get().
struct TraceRows {
  std::optional<Tombstone> tomb;     // also of a job that was restored
  std::optional<TicketView> ticket;  // of a job that is leaving
  std::vector<AuditRow> audit;       // whose ref is the id, its delete or its schedule; by no
  // The youngest deletion that is no longer remembered; none: nothing was ever forgotten.
  std::optional<Instant> forgotten;
};
// So many jobs of one delete that were alike.
struct ErasedGroup {
  DeleteId delete_id;
  std::string project, queue, kind;
  JobState was = JobState::queued;
  Verdict verdict = Verdict::not_running;
  std::int64_t jobs = 0;
};
struct StoreStats {
  std::int64_t bytes = 0;
  int schema = 0;
  bool replicated = false;
  std::string warning = {};  // what an operator should look at now; "" when all is well
  std::int64_t held_s = 0;   // the oldest snapshot that keeps vacuum from what died since
};

// What only the database knows of itself; nothing where it has no such thing, or does not say.
struct StoreHealth {
  std::int64_t bytes = 0;
  std::optional<std::int64_t> wal_bytes = {};
  std::optional<HeldSnapshot> held = {};  // the oldest one
  std::string dead_table = {};            // with the most dead rows
  std::optional<std::int64_t> dead_rows = {};
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<std::vector<Found>> get(const std::vector<JobId>& jobs, bool with_payload) = 0;
  virtual Result<JobPage> list(const ListQuery& query) = 0;
  // The jobs of list(), in its order; `with_payload` is not looked at.
  virtual Result<MatchPage> match(const ListQuery& query) = 0;
  // Of those of these jobs that are there; in no order.
  virtual Result<std::vector<OutboundView>> outbound(const std::vector<JobId>& jobs) = 0;
  virtual Result<std::vector<CountRow>> counts(
      const std::string& project) = 0;  // every queue and state that has jobs
  virtual Result<std::vector<AttemptRecord>> attempts(JobId job) = 0;
  virtual Result<std::vector<std::pair<std::int64_t, LogLine>>> logs(JobId job, std::int64_t after,
                                                                     int limit) = 0;
  virtual Result<std::vector<std::pair<std::int64_t, std::string>>> partials(JobId job,
                                                                             std::int64_t after,
                                                                             int limit) = 0;
  virtual Result<std::vector<StepResult>> steps(JobId job) = 0;
  virtual Result<std::vector<DeliveryView>> deliveries(JobId job) = 0;
  virtual Result<std::vector<DeliveryView>> deliveries_of(const std::string& endpoint,
                                                          std::optional<Uuid> before,
                                                          int limit) = 0;  // by id, newest first
  virtual Result<std::optional<DeliveryView>> delivery(Uuid id) = 0;
  virtual Result<std::vector<Uuid>> flying(const NodeLife& owner) = 0;  // in flight, by id
  virtual Result<std::vector<TicketView>> tickets(std::optional<DeleteId> only, bool due_only,
                                                  Instant now, int limit) = 0;
  virtual Result<std::optional<CallView>> call(DeleteId id) = 0;
  virtual Result<std::vector<CallView>> calls(std::optional<DeleteId> after,
                                              int limit) = 0;  // newest first
  virtual Result<std::vector<Tombstone>> tombstones(DeleteId id, std::optional<JobId> after,
                                                    int limit) = 0;
  // What whoever asks after an id is told; `schedule` is that of a job that is there. A handful of
  // looks at indexes, whatever the store holds.
  virtual Result<TraceRows> trace_rows(Uuid id, const std::string& schedule, int audit_limit) = 0;
  // Tombstones of deletes whose id is `from` at least and below `to`, by (delete, project, queue,
  // kind, was, verdict).
  virtual Result<std::vector<ErasedGroup>> erased_groups(DeleteId from, DeleteId to, int limit) = 0;
  virtual Result<std::vector<std::pair<JobId, int>>> running(
      const NodeLife& owner) = 0;  // job, epoch
  virtual Result<Orders> orders(const NodeLife& owner) = 0;
  virtual Result<std::optional<Instant>> next_due() = 0;  // of scheduled jobs
  virtual Result<std::optional<Instant>> next_delivery() = 0;
  virtual Result<std::optional<JobId>> oldest_queued(const std::string& queue) = 0;  // by id
  // Final, past `expires`, not protected.
  virtual Result<std::vector<JobId>> expired(Instant now, int limit,
                                             const ProtectionPtr& protection = {}) = 0;
  // What is protected never goes, and is not counted.
  virtual Result<ExpiryReport> expiries(Instant now, int limit,
                                        const ProtectionPtr& protection = {}) = 0;
  virtual Result<std::vector<CopyHead>> copies(const CopyQuery& query) = 0;
  virtual Result<std::optional<CopyView>> copy(JobId job, Instant now) = 0;
  // Every row of every table of the store, as its schema lists them, that names one of these jobs,
  // by (table, column, job). The whole store is looked at where no index helps: at most 1,000 ids.
  virtual Result<std::vector<Remnant>> remnants(const std::vector<JobId>& jobs) = 0;
  virtual Result<std::vector<NodeView>> nodes() = 0;
  virtual Result<std::optional<Doc>> doc(const std::string& kind, const std::string& id) = 0;
  virtual Result<std::vector<Doc>> docs(const std::string& kind,
                                        const std::string& project) = 0;  // "" = any project
  virtual Result<std::optional<ScheduleRow>> schedule(Uuid id) = 0;
  virtual Result<std::vector<ScheduleRow>> schedules(const ScheduleQuery& query) = 0;
  virtual Result<std::optional<Instant>> next_wake() = 0;  // of active schedules
  // Orders to delete a task: that one's, or by time those that are due.
  virtual Result<std::vector<TaskMessage>> task_messages(std::optional<Uuid> only, Instant due_by,
                                                         int limit) = 0;
  virtual Result<std::vector<AuditRow>> audit(std::int64_t after, int limit) = 0;
  virtual Result<std::optional<AuditRow>> audit_head() = 0;  // the last sealed row
  virtual Result<StoreStats> stats() = 0;
  virtual Result<StoreHealth> health() = 0;
  // Jobs, and tombstones of those that were not brought back, from an id on and below another, by
  // id. Of one moment.
  virtual Result<std::vector<IdRow>> ids(Uuid from, Uuid below, int limit) = 0;
  // The orphan query: side rows without a job, rows of a job that contradict each other. Empty when
  // the store is sound.
  virtual Result<std::vector<std::string>> orphans() = 0;
};

}  // namespace quell::storage
