// All that the memory store knows, as plain maps. Written to be read: the SQL stores are judged by
// it, so every rule stands here once and every move asks the law.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/batch.hpp"
#include "storage/erased_calls.hpp"
#include "storage/limited_claim.hpp"
#include "storage/outbox_rows.hpp"
#include "storage/reader.hpp"

namespace quell::storage::memory {

struct JobRow {
  JobId id;
  std::string project, queue, kind, args;
  int priority = default_priority;
  JobState state = JobState::queued;
  int epoch = 0;
  int ended_attempts = 0;
  int lost = 0;
  std::optional<Instant> due, started, finished, expires, result_expires;
  std::optional<double> progress;
  std::string phase, result, error, usage;
  JobOptions options;
  std::optional<std::string> unique_key;
  NodeLife owner;                // while running
  std::optional<NodeId> ran_on;  // when it came to rest
  bool cancel_requested = false;
  DeleteId delete_id;  // when leaving
  std::map<int, AttemptRecord> attempts;
  std::vector<LogLine> logs;
  std::vector<std::string> partials;
  std::vector<StepResult> steps;
};

enum class Place : std::uint8_t { waiting, in_flight, done };
struct DeliveryRow {
  JobId job;
  NewDelivery what;
  Place place = Place::waiting;
  int tries = 0;
  NodeLife owner;
  std::string log;
};

struct HolderRow {
  Holder holder;
  std::optional<Verdict> verdict;
};
struct TicketRow {
  DeleteId delete_id;
  JobState state = JobState::pending_delete;  // as the job's; kept when the job was forced
  JobState was = JobState::queued;
  std::string who, reason, error;
  Instant at, tomb_until;
  std::optional<Instant> copy_until, due;
  int tries = 0;
  std::optional<Instant> next_try;
  std::vector<HolderRow> holders;
  bool forced = false;
};
struct TombRow {
  DeleteId delete_id;
  Instant at, until;
  int epoch = 0;
  JobState was = JobState::queued;
  Verdict verdict = Verdict::not_running;
  JobLife life = {};
  bool restored = false;
};
struct CallRow {
  CallView view;
  Instant until;
};
struct DocRow {
  Doc doc;
  std::optional<Instant> until;
};
struct CopyRow {
  JobRow job;
  DeleteId delete_id;
  Instant until, at;
  JobState was = JobState::queued;
  std::optional<Instant> due;
};

class Tables {
 public:
  std::map<JobId, JobRow> jobs;
  std::map<Uuid, DeliveryRow> deliveries;
  std::map<JobId, TicketRow> tickets;
  std::map<JobId, std::vector<Holder>> doubts;  // owners called lost that may still act
  std::map<JobId, TombRow> tombs;
  std::optional<Instant> forgotten;  // the youngest tombstone that has gone
  std::map<JobId, CopyRow> copies;
  std::map<DeleteId, CallRow> calls;
  std::map<NodeId, NodeView> nodes;
  std::map<NodeId, std::string> births;  // of their last starts
  std::map<std::string, RoleResult> roles;
  std::map<std::pair<std::string, std::string>, DocRow> docs;
  std::map<Uuid, ScheduleRow> schedules;
  std::map<Uuid, TaskMessage> task_messages;
  std::vector<AuditRow> audit;
  std::map<std::string, std::optional<TokenBucket>> limits;  // by queue
  Turns turns;
  std::map<std::pair<std::string, std::string>, TokenBucket> key_buckets;  // by queue, limit key

  // Derived from `jobs` by the two functions below, so that a claim need not look at every job.
  std::set<std::tuple<std::string, int, JobId>> claimable;  // queue, 9 - priority, id
  std::set<std::pair<Instant, JobId>> waiting_for_time;
  std::map<std::pair<std::string, std::string>, JobId> unique_keys;  // project, key
  std::map<JobId, std::set<Uuid>> deliveries_of;

  JobRow& insert(JobRow row);
  // Makes the move if the law allows it; `due` is the new time of a scheduled job.
  bool move(JobRow& job, JobEvent event, std::optional<Instant> due = {});
  bool may_take_key(const JobRow& job) const;
  JobRow* find(JobId id);
  bool is_alive(const NodeLife& owner) const;

  struct Erasure {
    Instant at;
    std::string who;
    std::vector<ErasedJob> jobs;
  };
  // Audit rows that this batch owes: one per call and way.
  std::map<std::pair<DeleteId, Way>, Erasure> erasures;
  void owe(DeleteId call, Way way, Instant at, const std::string& who, const ErasedJob& job);
  // Takes every row of the job and leaves the tombstone (and the copy). `event` is erase or force.
  void erase(JobRow& job, const TicketRow& ticket, JobEvent event, Verdict verdict, Instant now,
             const std::string& who);
  void write_erasures();
  OutboxRows outbox;  // of this batch
  // Puts the news of a job that is at rest now beside it.
  void tell(const JobRow& job, std::string_view event, Instant at, std::string_view reason = {});
  void append_audit(AuditRow row);

  // Over the holders that have answered, and those in doubt.
  Verdict joint_verdict(JobId job, const TicketRow& ticket) const;
  template <class Is>
  void end_doubts(Is&& is_proven_down) {
    for (auto& [job, owners] : doubts)
      std::erase_if(owners, [&](const Holder& one) { return is_proven_down(one.owner); });
    std::erase_if(doubts, [](const auto& row) { return row.second.empty(); });
  }

 private:
  void index(const JobRow& job);
  void unindex(const JobRow& job);
};

// Holders without a verdict, run first, then deliveries by id.
std::vector<Holder> open_of(const TicketRow& ticket);
// What this life must still answer for, and its runs that someone wishes cancelled.
Orders orders_of(const Tables& tables, const NodeLife& owner);
JobView view_of(const JobRow& job, bool with_payload);

// One function per verb; apply.cpp calls them in the order of the batch's fields.
#define STORE_VERB(verb, operation, answer, failpoint, lane, rows, word) \
  answer apply_one(Tables& tables, const operation& op);
#define STORE_VERB_SILENT(verb, operation, failpoint, lane, rows, word) \
  void apply_one(Tables& tables, const operation& op);
#include "storage/spec/verbs.def"
std::vector<ClaimedJob> claim_with_limits(Tables& tables, const ClaimOp& op);
ClaimedJob start(Tables& tables, JobRow& job, const ClaimOp& op);
void forget_notices(Tables& tables, Instant now);
void add_deliveries(Tables& tables, JobId job, const std::vector<NewDelivery>& deliveries);
Outcome apply_all(Tables& tables, const Batch& batch);
void forget(Tables& tables, Instant now);

CopyHead head_of(const JobId& id, const CopyRow& row);
CopyView view_of(const JobId& id, const CopyRow& row);
// Final, past its time, and not protected.
bool is_expired(const JobRow& job, Instant now, const ProtectionPtr& protection = {});
bool has_ended_result(const JobRow& job, Instant now, const ProtectionPtr& protection = {});
std::vector<Remnant> remnants_of(const Tables& tables, const std::vector<JobId>& jobs);
ExpiryReport expiries_of(const Tables& tables, Instant now, int limit,
                         const ProtectionPtr& protection);

}  // namespace quell::storage::memory
