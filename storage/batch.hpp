// What can be written: one Batch is one transaction, applied in the order of its fields below,
// whatever the order in which the operations arrived. Deletes win ties: a claim never returns a job
// that the same batch marks. Every operation is conditional (a row that does not match is an
// answer, never an error), so one bad one cannot spoil the rest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/law/delete_protocol.hpp"
#include "runtime/law/job.hpp"
#include "runtime/law/protection.hpp"
#include "runtime/policy/queue_limits.hpp"
#include "storage/archive_ops.hpp"
#include "storage/audit_op.hpp"
#include "storage/new_delivery.hpp"
#include "storage/schedules.hpp"
#include "storage/steer_ops.hpp"
#include "storage/until_by_queue.hpp"

namespace quell {
class SubscriptionSet;
}

namespace quell::storage {

// How safe a commit is known to be: in no file, in this server's, or in a standby's too.
enum class Durability : std::uint8_t { none, local, replicated };
constexpr std::string_view to_string(Durability durability) {
  return durability == Durability::none    ? "none"
         : durability == Durability::local ? "local"
                                           : "replicated";
}

// ---- mark: the delete of one call
// ------------------------------------------------------------------------------
struct MarkOp {
  DeleteId delete_id;
  std::string who, reason, path;  // path: api, bulk, filter, retention, task, …
  Instant now;
  std::vector<JobId> jobs;       // distinct
  std::string project = {};      // "" = any; another project's job is answered not_found
  UntilByQueue copy_until = {};  // archive the job until then
  Instant tomb_until = {};
  bool keep_receipt = true;   // false for retention: no call row
  bool in_summary = false;    // of a call of so many jobs that they are told in one message
  int slice = 0, slices = 1;  // of the call: it is marked when each of them is
  ProtectionPtr protection = {};
};
enum class MarkAnswer : std::uint8_t {
  erased,        // nobody held it: gone in this transaction
  held,          // marked; ticket and holders written
  joined,        // marked before by another call: delete_id is the first one's
  already_gone,  // tombstone found
  not_found,
  protected_job,  // refused, unchanged
  refused         // what the job is now may not be marked; unchanged
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
  std::string refusal = {};                // why, of refused and of what is not protected by itself
  std::optional<Instant> copy_until = {};  // erased: a copy of it is kept until then
};

// ---- verdict: a holder is down; the last one erases
// --------------------------------------------------------------
struct VerdictOp {
  JobId job;
  HolderKind what = HolderKind::run;
  Uuid ref;
  NodeLife owner;
  int epoch;        // of the run that is down; another run of the job is another holder
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
  Verdict verdict = Verdict::not_running;  // over all holders: unproven beats proven
  std::optional<Instant> copy_until = {};  // erased: a copy of it is kept until then
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
  JobState was = JobState::queued;
  std::optional<Instant> copy_until = {};  // erased: a copy of it is kept until then
};
// Whoever concludes from what was read asks with this how durable that is: what can be seen may be
// on its way to a standby still. The commit is behind all that was read before it was asked for.
struct FenceOp {};
// What other processes, and this one, are to hear with this commit, beside what it says by itself:
// a name of hints.hpp, or one of news.hpp.
struct HintOp {
  std::string name;
};
struct CallOp {  // the call's receipt, once it is final or improved
  DeleteId delete_id;
  std::string counts, receipt;       // JSON
  std::optional<Instant> over = {};  // its summary has nothing more to wait for
};

// ---- finish: a run is down (its gate empty, its processes reaped)
// --------------------------------------------------
struct FinishOp {
  JobId job;
  int epoch = 0;
  JobEvent event;  // succeed | retry | exhaust | stopped | hand_over
  Instant now;
  std::optional<Instant> due = {};                  // retry
  std::string result = {}, error = {}, usage = {};  // JSON or ""
  std::optional<AttemptRecord> attempt = {};        // hand_over: none, it does not count
  // Of the final record; of a retry or hand_over, for the cancelled one that a requested cancel
  // makes of it.
  std::optional<Instant> expires = {};
  std::optional<Instant> result_expires = {};  // and of its result, when that goes first
  std::vector<NewDelivery> deliveries = {};
};
struct FinishResult {
  bool written = false;  // false: lost to a mark, or to a janitor. A normal case
  JobState state =
      JobState::succeeded;  // retry or hand_over under a requested cancel become cancelled
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
// The run that sends a job. The job is born only while that run is its job's: under this epoch,
// neither ended nor marked, which is looked at in the transaction of the birth, under a lock.
struct Sender {
  JobId job;
  int epoch = 0;
};
struct EnqueueOp {
  NewJob job;
  Instant now;
  JobEvent birth = JobEvent::submit;
  std::vector<NewDelivery> deliveries = {};
  std::optional<Sender> sender = {};
};
// refused: its values cannot be stored; `refusal` says why. sender_ended: looked at before all
// else.
enum class EnqueueAnswer : std::uint8_t {
  stored,
  unique_conflict,
  id_taken,
  refused,
  sender_ended
};
struct EnqueueResult {
  EnqueueAnswer answer = EnqueueAnswer::stored;
  JobState state = JobState::queued;
  JobId existing;  // unique_conflict
  JobState existing_state = JobState::queued;
  std::string refusal = {};
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
// job: a message of a deletion outlives the job. An id that is known already is not written again.
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
  // Names this start: which host, which boot of it, and a nonce. With one the node is taken only
  // when nobody has it, or when whoever had it last was one of `earlier`: starts of which the asker
  // knows that their process has ended.
  std::string birth = {};
  std::vector<std::string> earlier = {};
};
struct BeatOp {
  NodeLife owner;
  std::string info = {};
  bool goodbye = false;  // nothing of this life acts any more: what it was in doubt for is proven
};
struct BeatResult {
  bool alive = false;  // false: declared dead by another node, stop everything
  std::vector<std::pair<JobId, Holder>> orders;  // own holders without verdict
  std::vector<std::pair<JobId, int>>
      cancel_requests;       // own running jobs with a requested cancel, and their epoch
  std::int64_t running = 0;  // own rows: the census
};
// What a dead life held: runs go back to their queue (or fail when lost too often), holders get the
// verdict.
struct RecoverOp {
  NodeId node;
  std::int64_t below_life = 0;  // every life smaller than this
  Verdict verdict;              // process_died or lease_expired
  Instant now;
  int max_lost = 3;
  UntilByQueue failed_expires = {}, cancelled_expires = {};
  // Only if the life just below stands at this beat still: it may have moved since it was watched.
  std::optional<std::int64_t> if_beat = {};
};
struct RecoverResult {
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
  std::string only_with = {};  // id of one before it in the batch: refused when that one was
};
struct DocResult {
  bool written = false;
  std::int64_t version = 0;  // now, also when refused
  bool by_law = false;       // refused, whatever its version
};
// The nearest one of that id counts: batches of several callers may be one commit.
inline bool is_refused_with(const std::vector<DocOp>& ops, const std::vector<DocResult>& done) {
  const DocOp& op = ops[done.size()];
  if (op.only_with.empty()) return false;
  for (std::size_t i = done.size(); i-- > 0;)
    if (ops[i].id == op.only_with && ops[i].only_with.empty()) return !done[i].written;
  return true;
}
struct SealOp {
  std::vector<std::pair<std::int64_t, std::string>>
      hashes;              // row number, chain hash (hex), rising, without gap
  std::int64_t after = 0;  // the sealed row that they build on; 0: none is sealed
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
//   leaves result and error. a requested cancel makes retry and hand_over cancelled, and only
//   those.
// - Lists without payload leave out args and result, nothing else. `next` is set only when more
//   follow. `node` and `cancel_requested` are of running jobs; a mark ends the request.
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
//   verdict of several holders: see joint_verdict.hpp. A verdict for a forced job closes its holder
//   and with the last one the ticket, and answers `unknown` with the delete_id set.
// - Force: only of leaving jobs; a repeat answers erased = false with the delete_id and who is
//   open. The tombstone says not_confirmed. The unique key is free.
// - Tickets: error and next_try become what the op says; retry_delete starts tries at 0. A forced
//   ticket takes notes only. Due: next_try has come, or is none while pending_delete. Listed by
//   (at, job).
// - Deliveries: a try is counted when it ends. What is done or given up stays, with its log and
//   without due, until the job is erased. Claimed by (due, id). Erasing removes all; a mark
//   removes and counts what waits. Notices (of no job) are kept for `notice_keep` behind the time
//   in their id; they leave no doubt.
// - A declared dead or older life claims nothing (a node row says so; without a row nobody is
// refused),
//   and its beat answers alive = false and nothing else. The goodbye itself is still alive.
// - Recover: lost + 1 ≥ max_lost fails the job with the error {"code":"lost_too_often"}, a
// requested
//   cancel comes first; no attempt is written. A delivery in flight waits again, due now. `erased`
//   has only what was erased. `queues` are those of the requeued, distinct and sorted, as in
//   DueResult.
// - Doubt: a recovery without proof (lease_expired) leaves, for each run and each delivery that it
//   takes back, a note of who held it. While a note is there the job's delete is not proven: its
//   mark erases with lease_expired, and so does its last verdict. The notes of a life go when it
//   is proven down (a recovery with process_died, or its goodbye, which is heard even when it was
//   declared dead before), those of a job when it is erased.
// - Outbox rows (outbox_rows.hpp): an erasure, a cancel of a waiting or a running job, and a job
// that was lost too often
//   are told to the batch's listeners in its transaction, once. A finish that a requested cancel
//   turns into a cancel takes none of its own deliveries then. `ended` of a recovery has no order.
// - Hints: what other processes may want to hear of a commit is hints.hpp; `writer` is not told.
// - Roles: free or one's own is taken, with beat + 1; another's only if `seen` is its (holder,
//   beat).
// - Copies: one per id, the last delete's; it goes with its restore. From its end on nobody reads
// or
//   restores it. A restored job is what it was, with the states of restore_policy.hpp, under the
//   greater of the copy's and the tombstone's epoch + 1, without deliveries; its expiry is
//   `restored_expiry`'s, a cancelled run's is what the op says, and at least that.
// - Expire: the oldest end first, then by id. An ended result takes the partial results and the
//   remembered steps of its job with it, never the error. Audit as of erasures, with the ways
//   "restore" (of the delete that is undone), "copy_end" (of the delete that left the copy) and
//   "result_end" (of the sweep), each line with the state and a verdict of not_running.
// - Docs: keyed by (kind, id), versions from 1; a refused or idle op has written = false and the
//   version as it is (0: none). Only the upkeep forgets what is past its `until` (until <= now).
// - Audit: after all erasures and before `audits` one row per delete_id and way ("delete", then
//   "force", …), by delete_id: who of the call (of the force), the latest now, ref = delete_id,
//   detail {"jobs":n}, digest of erase_digest.hpp. Seals are taken only for the next unsealed
//   rows, and only on top of the last sealed one: a seal over an older head would be wrong for
//   ever.
// - Due and claims take the oldest first: by due, or by priority (high first), then by id.
// - Limits: what runs is counted by rows, whoever claimed them and under whatever limits; claims of
//   one queue with limits see each other's commits. With a limit by key, keys take turns in their
//   order, beginning behind the one that was served last ("" at first); the jobs without a key take
//   turns as "". Within a key, as above. A rate's bucket is full until a claim with that rate takes
//   from it.
// - Schedules: a put creates under version 1, or changes under version + 1, and never what is
//   leaving. A fire is of an active one whose version, next and waiting are as they were read (by
//   hand: of an active or disabled one, whatever its version). Each of its jobs is born unless its
//   id is taken (it was born before) or its unique key is (that counts as an overlap). Living are
//   the jobs of the schedule that wait or run. skip: with one living nothing is born, else the last
//   job; queue_one: with one living the first waits, else the first is born and the second waits;
//   cancel_old: the last is born, and when it is, all that lives is cancelled. What is neither born
//   nor waits counts as an overlap, but not what was born before. While one waits `wake` is
//   `look_again` at the latest.
// - Task delete: the status becomes PENDING_DELETE, next, wake and waiting go, the version rises,
//   and the message is there. Of one that is pending already nothing changes (joined); of a failed
//   one all is as of a new one. `again` is only of a leaving one. Everything else of a message
//   answers false when the message is not there or of another request. Tries count at a retry.
struct Batch {         // and the verbs of spec/verbs.def
  NodeId writer = {};  // who commits; hints are not meant for it
  std::shared_ptr<const SubscriptionSet> listeners =
      {};               // of outbox_rows.hpp; none: nobody is told
  Uuid outbox_id = {};  // names the rows of its outbox; never used before, and begins with its time
  bool tells_news = false;  // somebody of the fleet watches: what happens here is said to all nodes
#define STORE_VERB(verb, operation, answer, failpoint, lane, rows, word) \
  std::vector<operation> verb;
#define STORE_VERB_SILENT(verb, operation, failpoint, lane, rows, word) std::vector<operation> verb;
#include "storage/spec/verbs.def"
};

// Answers, index by index.
struct Outcome {
#define STORE_VERB(verb, operation, answer, failpoint, lane, rows, word) std::vector<answer> verb;
#include "storage/spec/verbs.def"
  bool has_deliveries = false;  // outbox rows wait to be delivered
  bool news_told = false;       // every node hears of it by a hint, this one too
  // Of this commit, as far as somebody asked: it erases or fences. More is never said than is
  // known.
  Durability durability = Durability::local;
};

}  // namespace quell::storage
