// What can be written: one Batch is one transaction, applied in the order of its fields below,
// whatever the order in which the operations arrived. Deletes win ties: a claim never returns a job
// that the same batch marks. Every operation is conditional (a row that does not match is an
// answer, never an error), so one bad one cannot spoil the rest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/delete_protocol.hpp"
#include "runtime/job.hpp"
#include "runtime/queue_limits.hpp"

namespace quell {
class SubscriptionSet;
}

namespace quell::storage {

// One start of one node. A node that restarts has a new life; what an earlier life held is not its
// own.
struct NodeLife {
  NodeId node;
  std::int64_t life = 0;
  bool operator==(const NodeLife&) const = default;
};

// Whoever can still act for a job: its run, or one webhook delivery in flight.
enum class HolderKind : std::uint8_t { run, delivery };
struct Holder {
  HolderKind what = HolderKind::run;
  Uuid ref;  // the job, or the delivery
  NodeLife owner;
  int epoch = 0;  // of the run that holds, before the mark
};

// ---- mark: the delete of one call
// ------------------------------------------------------------------------------
struct MarkOp {
  DeleteId delete_id;
  std::string who, reason, path;  // path: api, bulk, filter, retention, task, …
  Instant now;
  std::vector<JobId> jobs;                 // distinct
  std::string project = {};                // "" = any; another project's job is answered not_found
  std::optional<Instant> copy_until = {};  // archive the job until then
  Instant tomb_until = {};
  bool keep_receipt = true;  // false for retention: no call row
  bool in_summary = false;   // of a call of so many jobs that they are told in one message
};
enum class MarkAnswer : std::uint8_t {
  erased,        // nobody held it: gone in this transaction
  held,          // marked; ticket and holders written
  joined,        // marked before by another call: delete_id is the first one's
  already_gone,  // tombstone found
  not_found,
  protected_job  // refused, unchanged
};
struct MarkedJob {
  JobId job;
  MarkAnswer answer = MarkAnswer::not_found;
  JobState was = JobState::queued;  // before the (first) mark
  int epoch = 0;                    // after the mark
  DeleteId delete_id;
  std::vector<Holder> open;           // holders without a verdict (held, joined)
  std::optional<Instant> deleted_at;  // already_gone
  int deliveries_removed = 0;
  std::string queue = {}, project = {};
  Verdict verdict = Verdict::not_running;  // erased: lease_expired while a lost owner may still act
};

// ---- verdict: a holder is down; the last one erases
// --------------------------------------------------------------
struct VerdictOp {
  JobId job;
  HolderKind what = HolderKind::run;
  Uuid ref;
  NodeLife owner;
  Verdict verdict;  // never `stuck`: that is a ticket note
  Instant now;
  bool tell_others = false;  // who asked may be another process: hint when this erases
};
enum class VerdictAnswer : std::uint8_t {
  erased,
  waiting,
  unknown
};  // unknown: no such open holder (repeat, or forced)
struct VerdictResult {
  VerdictAnswer answer = VerdictAnswer::unknown;
  DeleteId delete_id;
  JobState was = JobState::queued;
  Verdict weakest = Verdict::not_running;  // over all holders: unproven beats proven
};

// ---- ticket: a delete that is not done yet
// -------------------------------------------------------------------------
struct TicketOp {
  JobId job;
  std::optional<JobEvent> event;  // fail_delete, retry_delete, or none: only the note
  std::string error = {};
  std::optional<Instant> next_try = {};
  bool count_try = true;
};
struct ForceOp {  // erase under the ticket's fence without proof; ticket and holders stay until the
                  // owner confirms
  JobId job;
  std::string who, reason;
  Instant now;
};
struct ForceResult {
  bool erased = false;
  DeleteId delete_id;
  std::vector<Holder> open;
};
struct CallOp {  // the call's receipt, once it is final or improved
  DeleteId delete_id;
  std::string counts, receipt;       // JSON
  std::optional<Instant> over = {};  // its summary has nothing more to wait for
};

// ---- steer: cancel, revive, run_now
// --------------------------------------------------------------------------------
struct SteerOp {
  JobId job;
  JobEvent event;  // cancel | revive | run_now
  std::string who;
  Instant now;
  std::string project = {};
  std::optional<Instant> expires = {};  // of the final record
};
enum class SteerAnswer : std::uint8_t { moved, wished, refused, leaving, gone, not_found };
struct SteerResult {
  SteerAnswer answer = SteerAnswer::not_found;
  JobState state = JobState::queued;  // after
  std::optional<Holder> runner;       // wished: who must be told
  std::string queue = {};
  std::optional<DeleteId> delete_id;
};

// ---- finish: a run is down (its gate empty, its processes reaped)
// --------------------------------------------------
struct NewDelivery {
  Uuid id;
  std::string endpoint;  // id of the registered endpoint; "" is the job's own URL
  std::string event, body;
  Instant due;
};
struct FinishOp {
  JobId job;
  int epoch = 0;
  JobEvent event;  // succeed | retry | exhaust | stopped | hand_over
  Instant now;
  std::optional<Instant> due = {};                  // retry
  std::string result = {}, error = {}, usage = {};  // JSON or ""
  std::optional<AttemptRecord> attempt = {};        // hand_over: none, it does not count
  std::optional<Instant> expires = {};
  std::vector<NewDelivery> deliveries = {};
};
struct FinishResult {
  bool written = false;                  // false: lost to a mark, or to a janitor. A normal case
  JobState state = JobState::succeeded;  // retry or hand_over under a cancel wish become cancelled
};

// ---- flush: what a run has to show so far
// --------------------------------------------------------------------------
struct LogLine {
  Instant at;
  std::string level, text;
};
struct StepResult {
  std::string name, result;  // remembered: a retry resumes behind it
};
struct FlushOp {
  JobId job;
  int epoch = 0;
  Instant now;
  std::optional<double> progress = {};
  std::optional<std::string> phase = {};
  std::optional<std::string> usage = {};
  std::vector<std::string> partials = {};
  std::vector<LogLine> logs = {};
  std::vector<StepResult> steps = {};
};

// ---- enqueue, due, claim
// -------------------------------------------------------------------------------------------
struct EnqueueOp {
  NewJob job;
  Instant now;
  JobEvent birth = JobEvent::submit;
  std::vector<NewDelivery> deliveries = {};
};
enum class EnqueueAnswer : std::uint8_t { stored, unique_conflict, id_taken };
struct EnqueueResult {
  EnqueueAnswer answer = EnqueueAnswer::stored;
  JobState state = JobState::queued;
  JobId existing;  // unique_conflict
  JobState existing_state = JobState::queued;
};
struct DueOp {
  Instant now;
  int limit = 500;
};
struct DueResult {
  int moved = 0;
  std::vector<std::string> queues;  // distinct, of what became queued
};
struct ClaimOp {
  std::string queue;
  int limit = 0;  // never more than the permits in hand
  NodeLife owner;
  Instant now;
  QueueLimits limits = {};  // as the claimer knows them: one that has not heard yet of a change
                            // keeps to the old ones
};
struct ClaimedJob {
  JobId job;
  int epoch = 0;
  int attempt = 1;  // this one
  int lost = 0;
  std::string kind, args, options, project;  // args, options: JSON or ""
  bool has_steps = false;                    // earlier attempts remembered results
};

// ---- webhook deliveries
// ----------------------------------------------------------------------------------------------
// What has ended of a notice is forgotten so long after the time that its id begins with.
inline constexpr Millis notice_keep{std::chrono::hours{24 * 7}};
struct DeliveryClaimOp {
  NodeLife owner;
  Instant now;
  int limit = 0;
};
struct ClaimedDelivery {
  Uuid id;
  JobId job;
  std::string endpoint, event, body;
  int tries = 0;
  std::string url;  // the job's own, when endpoint is ""
};
// Deliveries beside a move: of a job that is at rest in this state, or, when `job` is nil, of no
// job: news of a deletion outlives the job. An id that is known already is not written again.
struct NoticeOp {
  JobId job;
  JobState state = JobState::cancelled;  // final; looked at when `job` is not nil
  std::vector<NewDelivery> deliveries;
};
struct RedeliverOp {  // what has ended waits again, due now, with all its tries before it
  Uuid id;
  Instant now;
};
struct DeliveryEndOp {
  Uuid id;
  NodeLife owner;
  Instant now;
  std::optional<Instant> retry_at = {};  // none: done or given up
  bool delivered = false;
  std::string log = {};  // JSON: status, duration, first bytes of the reply
};

// ---- nodes, leases, recovery
// -------------------------------------------------------------------------------------------
struct StartNodeOp {
  NodeId node;
  std::string info;  // JSON: host, pid, version, pools
  Instant now;
};
struct BeatOp {
  NodeLife owner;
  std::string info = {};
  bool goodbye = false;  // nothing of this life acts any more: what it was in doubt for is proven
};
struct BeatResult {
  bool alive = false;                            // false: buried by another node, stop everything
  std::vector<std::pair<JobId, Holder>> orders;  // own holders without verdict
  std::vector<std::pair<JobId, int>>
      wishes;                // own running jobs with a cancel wish, and their epoch
  std::int64_t running = 0;  // own rows: the census
};
// What a dead life held: runs go back to their queue (or fail when lost too often), holders get the
// verdict.
struct BuryOp {
  NodeId node;
  std::int64_t below_life = 0;  // every life smaller than this
  Verdict verdict;              // process_died or lease_expired
  Instant now;
  int max_lost = 3;
  Instant failed_expires;
  // Only if the life just below stands at this beat still: it may have moved since it was watched.
  std::optional<std::int64_t> if_beat = {};
};
struct BuryResult {
  bool done = true;  // false: it had moved (if_beat), and nothing was changed
  int requeued = 0, failed = 0, cancelled = 0, deliveries = 0;
  std::vector<std::pair<JobId, VerdictResult>> erased;
  std::vector<std::pair<JobId, JobState>> ended;  // failed and cancelled
  std::vector<std::string> queues;
};
struct RoleOp {  // one leader per role; taken only when the holder was seen to stand still (`seen`
                 // = its last beat)
  std::string role;
  NodeLife owner;
  std::optional<std::pair<NodeLife, std::int64_t>> seen = {};
};
struct RoleResult {
  NodeLife holder;
  std::int64_t beat = 0;
};

// ---- documents (tokens, secrets, endpoints, queues, pools, schedules, settings) and audit
// -------------------------------
struct DocOp {
  std::string kind, id, project = "default";
  std::optional<std::string> body;              // none: remove
  std::optional<std::int64_t> if_version = {};  // 0: must not exist
  std::optional<Instant> until = {};            // forgotten after
};
struct DocResult {
  bool written = false;
  std::int64_t version = 0;  // now, also when refused
};
struct AuditOp {
  Instant at;
  std::string who, what, ref, detail;  // detail: JSON
};
struct SealOp {
  std::vector<std::pair<std::int64_t, std::string>>
      hashes;  // row number, chain hash (hex), rising, without gap
};

// What the fields alone do not say; the memory store is the reference and the conformance suite
// the judge.
// - Epoch: 0 at birth, +1 at claim, mark and restore. A restore takes the tombstone's epoch + 1 (1
//   without one) and leaves the tombstone, which is shown only while no job row is there.
// - Ids: an id with a job, an open ticket, or a tombstone (but for a restore) is `id_taken`; that
//   is looked at before the unique key. A birth is scheduled if run_at > now, else queued; `fire`
//   is always queued.
// - A unique key belongs to its project. It is taken while the job waits or runs, or leaves from
//   there; free when final. The job keeps it: a revive takes it again, or is refused.
// - Attempt (view): the attempts that ended and count, + 1 while running. Every finish but
//   hand_over counts; a loss does not. A claim's attempt is that number after the claim.
// - Times (view): `due` only while scheduled; `started` is the last claim, kept; `finished` and
//   `expires` are set when the job becomes final and cleared by revive, which also sets lost to 0.
// - Finish: result and error become what it says ("" clears), usage only if not ""; a hand_over
//   leaves result and error. A wish makes retry and hand_over cancelled, and only those.
// - Lists without payload leave out args and result, nothing else. `next` is set only when more
//   follow. `node` and `cancel_wished` are of running jobs; a mark ends the wish.
// - Binary: args, result, partials, log texts and step results may hold any byte, NUL too.
// - Steps: the first writing gives the place, the last one the result. Attempts: one per n, the
//   last one stays. Logs and partials are numbered per job from 1.
// - Mark: joined and protected change nothing. was, queue and epoch are filled whenever the job
//   row is there (and of the asked project); else was and deleted_at from the tombstone, which
//   knows no project. The call row is written by the first mark with that delete_id, whatever its
//   answers.
// - A job that is leaving takes no finish, flush, steer or delivery end: its holders answer by
//   verdict. Open holders are listed run first, then deliveries by id; a delivery's epoch is 0.
// - The last verdict erases a delete_failed job too (retry_delete, then erase, at once). The
//   verdict of several holders: see weakest.hpp. A verdict for a forced job closes its holder and
//   with the last one the ticket, and answers `unknown` with the delete_id set.
// - Force: only of leaving jobs; a repeat answers erased = false with the delete_id and who is
//   open. The tombstone says not_confirmed. The unique key is free.
// - Tickets: error and next_try become what the op says; retry_delete starts tries at 0. A forced
//   ticket takes notes only. Due: next_try has come, or is none while pending_delete. Listed by
//   (at, job).
// - Deliveries: a try is counted when it ends. What is done or given up stays, with its log and
//   without due, until the job is erased. Claimed by (due, id). Erasing removes all; a mark
//   removes and counts what waits. Notices (of no job) are kept for `notice_keep` behind the time
//   in their id; they leave no doubt.
// - A buried or older life claims nothing (a node row says so; without a row nobody is refused),
//   and its beat answers alive = false and nothing else. The goodbye itself is still alive.
// - Bury: lost + 1 ≥ max_lost fails the job with the error {"code":"lost_too_often"}, a cancel
//   wish comes first; no attempt is written. A delivery in flight waits again, due now. `erased`
//   has only what was erased. `queues` are those of the requeued, distinct and sorted, as in
//   DueResult.
// - Doubt: a burial without proof (lease_expired) leaves, for each run and each delivery that it
//   takes back, a note of who held it. While a note is there the job's delete is not proven: its
//   mark erases with lease_expired, and so does its last verdict. The notes of a life go when it
//   is proven down (a burial with process_died, or its goodbye, which is heard even when it was
//   buried before), those of a job when it is erased.
// - News (news.hpp): an erasure, a cancel by a word or by a wish, and a job that was lost too often
//   are told to the batch's listeners in its transaction, once. A finish that a wish turns into a
//   cancel takes none of its own deliveries then. `ended` of a burial has no order.
// - Hints: what other processes may want to hear of a commit is hints.hpp; `writer` is not told.
// - Roles: free or one's own is taken, with beat + 1; another's only if `seen` is its (holder,
//   beat).
// - Docs: keyed by (kind, id), versions from 1; a refused or idle op has written = false and the
//   version as it is (0: none). Only `tend` forgets what is past its `until` (until <= now).
// - Audit: after all erasures and before `audits` one row per delete_id and way ("delete", then
//   "force"), by delete_id: who of the call (of the force), the latest now, ref = delete_id,
//   detail {"jobs":n}, digest of erase_digest.hpp. Seals are taken only for the next unsealed
//   rows.
// - Due and claims take the oldest first: by due, or by priority (high first), then by id.
// - Limits: what runs is counted by rows, whoever claimed them and under whatever limits; claims of
//   one queue with limits see each other's commits. With a limit by key, keys take turns in their
//   order, beginning behind the one that was served last ("" at first); the jobs without a key take
//   turns as "". Within a key, as above. A rate's bucket is full until a claim with that rate takes
//   from it.
struct Batch {
  NodeId writer = {};                                     // who commits; hints are not meant for it
  std::shared_ptr<const SubscriptionSet> listeners = {};  // of news.hpp; none: nobody is told
  Uuid news_id = {};  // names the batch's news; never used before, and begins with its time
  std::vector<MarkOp> marks;
  std::vector<VerdictOp> verdicts;
  std::vector<TicketOp> tickets;
  std::vector<ForceOp> forces;
  std::vector<SteerOp> steers;
  std::vector<FlushOp> flushes;  // before finishes: a run's last words come with its end
  std::vector<FinishOp> finishes;
  std::vector<DeliveryEndOp> delivery_ends;
  std::vector<StartNodeOp> starts;
  std::vector<BeatOp> beats;
  std::vector<BuryOp> burials;
  std::vector<RoleOp> roles;
  std::vector<CallOp> calls;
  std::vector<DocOp> docs;
  std::vector<NoticeOp> notices;
  std::vector<RedeliverOp> redeliveries;
  std::vector<AuditOp> audits;
  std::vector<SealOp> seals;
  std::vector<DueOp> dues;
  std::vector<EnqueueOp> enqueues;
  std::vector<ClaimOp> claims;
  std::vector<DeliveryClaimOp> delivery_claims;
};

// Answers, index by index.
struct Outcome {
  std::vector<std::vector<MarkedJob>> marks;  // per call, in the order of its ids
  std::vector<VerdictResult> verdicts;
  std::vector<bool> tickets;
  std::vector<ForceResult> forces;
  std::vector<SteerResult> steers;
  std::vector<FinishResult> finishes;
  std::vector<bool> flushes;
  std::vector<bool> delivery_ends;
  std::vector<NodeLife> starts;
  std::vector<BeatResult> beats;
  std::vector<BuryResult> burials;
  std::vector<RoleResult> roles;
  std::vector<DocResult> docs;
  std::vector<bool> notices;       // true: the job was as said, or is nil
  std::vector<bool> redeliveries;  // false: unknown, not ended, or its job is leaving
  std::vector<bool> seals;
  std::vector<DueResult> dues;
  std::vector<EnqueueResult> enqueues;
  std::vector<std::vector<ClaimedJob>> claims;
  std::vector<std::vector<ClaimedDelivery>> delivery_claims;
  bool told = false;  // news wait to be delivered
};

}  // namespace quell::storage
