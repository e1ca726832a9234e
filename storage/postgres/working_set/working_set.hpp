// The jobs that a batch is about: read and locked once, decided on in memory, and written back as
// sets. So a batch of a thousand deletes is a dozen statements, and every verb reads like the law.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/postgres/connection/pg_session.hpp"
#include "storage/postgres/verbs/eraser.hpp"
#include "storage/postgres/working_set/side_rows.hpp"

namespace quell::storage::postgres {

struct HolderState {
  Holder holder;
  std::optional<Verdict> verdict;
};

struct TicketState {
  DeleteId delete_id;
  JobState state = JobState::pending_delete, was = JobState::queued;
  std::string project, who, reason, error;
  Instant at, tomb_until;
  std::optional<Instant> copy_until, next_try, due;
  int tries = 0;
  bool forced = false;
  std::optional<std::string> unique_key;
  std::vector<HolderState> holders;

  std::vector<Holder> open() const;
};

// What is left of a job.
struct TombstoneRow {
  DeleteId delete_id;
  Instant at;
  JobState was = JobState::queued;
};

// A job as the batch sees it at this point.
struct JobEntry {
  JobId id;
  bool exists = false;
  std::string project, queue;
  JobState state = JobState::queued;
  int epoch = 0;  // the run's when there is one
  int attempt = 0, lost = 0, has = 0;
  std::optional<Instant> started, finished, expires, due;
  std::optional<DeleteId> delete_id;
  NodeLife owner;  // when running
  bool cancel_requested = false;
  std::optional<std::string> unique_key;  // of a live job
  std::vector<Uuid> waiting;              // deliveries, of a job that is to be marked
  std::vector<Holder> flying;
  std::optional<TicketState> ticket;
  std::vector<HolderKind> doubts;  // what lost owners may still do
  std::optional<TombstoneRow> tombstone;
  std::vector<std::string> tags;  // asked of jobs that are to be marked, when some are protected
  bool has_own_url = false;       // asked of jobs that may come to rest by no word of their run

  enum Pending : unsigned {
    job_state = 1,  // its row in `job`, where it stands
    has_bits = 2,
    job_rests = 4,  // from `live` to `job`
    job_rises = 8,  // and back
    live_place = 16,
    live_cancel = 32,
    ticket_new = 64,
    ticket_change = 128,
    ticket_delete = 256,
    holder_change = 512,
    hold_deliveries = 1024,
    // Of a mark. The row goes in the same write, from `job` or from `live`; or a run's live row
    // goes, and is still as it was.
    job_leaves = 2048,
    live_leaves = 4096,
    run_leaves = 8192
  };
  unsigned pending = 0;
};

class WorkingSet {
 public:
  explicit WorkingSet(PgSession& session)
      : session_(session), eraser_(session), side_(session.db) {}

  struct Wanted {
    std::vector<JobId> jobs;        // locked, in the order of their ids
    std::vector<JobId> deliveries;  // of these jobs too
    std::vector<JobId> tickets;     // of these even when the job is gone
    std::vector<JobId> tags;        // which these have
    std::vector<JobId> urls;        // whether these name one, when anybody is told at all
  };
  void load(Wanted wanted);
  void forget();
  // These alone; what another verb of the batch has loaded stays. After settle().
  void forget(const std::vector<JobId>& ids);
  // The entry of a loaded id; `exists` says whether there is such a job.
  JobEntry& at(JobId id);
  JobEntry* find(JobId id);
  void read_doubts(const std::vector<JobId>& ids);
  // Over all who held the job; unproven while a lost owner may still act.
  static Verdict joint_verdict(const JobEntry& job);

  // ---- moves; each knows which rows it needs written
  void end(JobEntry& job, JobState to, Instant now, std::optional<Instant> expires);
  void come_back(JobEntry& job, JobState to, std::optional<Instant> due);
  void revive(JobEntry& job);
  void request_cancel(JobEntry& job);
  void add_bits(JobEntry& job, int has);
  void mark(JobEntry& job, const MarkOp& op, bool goes_at_once);
  void hold(JobEntry& job, JobState was, const MarkOp& op, const std::vector<Holder>& holders);
  void move_ticket(JobEntry& job, JobState to);
  void touch(JobEntry& job, unsigned pending);
  void close_ticket(JobEntry& job);
  void erase(JobEntry& job, Erasure what, Way way);
  // Puts the outbox row of a job that comes to rest beside it.
  void tell(JobEntry& job, std::string_view event, JobState state, Instant at,
            std::string_view reason = {});

  SideRows& side() { return side_; }
  PgSession& session() { return session_; }
  bool key_is_taken(const JobEntry& job);
  // Writes what is pending. Verbs call it only where a statement must see it.
  void settle();

 private:
  void lock_rows(std::vector<JobId> ids);
  void let_stay_what_came_back(const std::vector<JobId>& ids);
  JobEntry& found(const Row& row, JobState state);
  void lock_live(const std::vector<JobId>& ids);
  void lock_jobs(const std::vector<JobId>& ids);
  std::vector<JobId> read_tombstones(const std::vector<JobId>& ids);
  std::vector<JobId> missing(const std::vector<JobId>& ids);
  void lock_deliveries(const std::vector<JobId>& ids);
  void lock_tickets(const std::vector<JobId>& ids);
  void read_tags(const std::vector<JobId>& ids);
  void read_urls(const std::vector<JobId>& ids);
  void change(JobEntry& job, JobState to, unsigned pending);
  void write_leaving();
  void write_leaving(const Query& query, unsigned pending, unsigned one_by_one);
  void write_jobs();
  void write_jobs(const Query& query, unsigned pending);
  void write_bits();
  void write_held_runs();
  void write_held_runs(const std::vector<JobEntry*>& alike);
  void write_tickets();
  void write_holders();
  std::vector<JobEntry*> with(unsigned pending);

  PgSession& session_;
  Eraser eraser_;
  SideRows side_;
  std::unordered_map<JobId, JobEntry> entries_;
  std::vector<JobEntry*> dirty_;
};

}  // namespace quell::storage::postgres
