// Every message between actors: the house's telephone book. One struct a message; whoever sends it
// stands in the comment. What one room says to itself stands there (`*_messages.hpp`).
#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/deletes/delete_report.hpp"
#include "actors/deletes/retention_report.hpp"
#include "actors/runs/effect_runner.hpp"
#include "actors/schedules/task_delete.hpp"
#include "runtime/base/result.hpp"
#include "runtime/policy/queue_limits.hpp"
#include "runtime/policy/retry_policy.hpp"
#include "runtime/policy/stop_policy.hpp"
#include "runtime/signing/audit_chain.hpp"
#include "storage/batch.hpp"
#include "storage/reader.hpp"

namespace quell {

// What is known of a run that is down; travels with its verdict to the receipt.
struct RunDown {
  int slots_freed = 0;
  int effects_aborted = 0;
  std::string run_report = {};  // JSON: what it had to show, usage
};

// ---- to the Clerk
// -------------------------------------------------------------------------------------------------
// Anyone: write these operations; the answer holds their outcomes only. Steering ones go by high
// priority.
struct WriteOps {
  std::shared_ptr<storage::Batch> ops;
  std::function<void(Result<storage::Outcome>)> answer;  // may be empty
};
// Foreman: runs are down, permits are free, verdicts are known. One message for many, or the
// mailbox is the bottleneck.
struct WriteEnds {
  std::vector<storage::FinishOp> finishes;
  std::vector<std::pair<storage::VerdictOp, RunDown>> verdicts;
  std::vector<std::pair<std::string, int>> permits;  // pool, how many more may be claimed for
};
// Deleter: mark these; the Foreman hears of it first, then the Deleter.
struct MarkJobs {
  std::uint64_t call = 0;
  std::size_t first = 0;  // of the call's jobs, the first of this slice
  storage::MarkOp mark;
  WriteOps beside = {};  // written in the same commit, whatever becomes of the marks
};
// Node: queues changed (paused, weight, pool), or look at this queue again ("" = at all).
struct SetQueue {
  std::string name, pool;
  int weight = 1;
  bool paused = false;
  QueueLimits limits = {};
};
struct LookAgain {
  std::string queue;
};
// Foreman: take these permits back from the standing claim of a pool (it shrinks); answered by
// PermitsBack.
struct RecallPermits {
  std::string pool;
  int count = 0;
};
struct LookAtLimits {};  // timer: a queue that its limits held may have room
// Courier: deliveries of marked jobs are over. Their verdicts go without a word on the run.
struct DeliveriesDown {
  std::vector<storage::VerdictOp> verdicts;
};
// Registrar: what the store lists for this node; passed on only from between two commits, so that
// whatever an earlier claim brought is known here first.
struct OrdersRead {
  storage::Orders orders;
};
// A write worker: this batch's commit is over.
struct BatchApplied {
  std::size_t writer = 0;
  Result<storage::Outcome> outcome;
  std::chrono::microseconds took{0};
};
struct TakeCensus {};   // Foreman: the store counts other runs here than there are
struct FlushNow {};     // Clerk to itself
struct StoreUpkeep {};  // timer
struct DueNow {};       // timer

// ---- to a WriteWorker
// -------------------------------------------------------------------------------------------------
struct ApplyBatch {  // Clerk
  std::size_t writer = 0;
  std::shared_ptr<const storage::Batch> batch;
  caf::weak_actor_ptr clerk;
};

// ---- to the Foreman
// -------------------------------------------------------------------------------------------------
// Clerk, in commit order: claimed rows, with the pool whose permits they use.
struct ClaimedJobs {
  std::string pool, queue;
  std::vector<storage::ClaimedJob> jobs;
};
struct MarkedRun {  // a job with a run of this node among its holders
  JobId job;
  int epoch = 0;  // of the run
  DeleteId delete_id;
};
struct StopMarked {
  std::vector<MarkedRun> runs;
  bool from_elsewhere = false;  // another node may wait for the verdict
};
struct CancelRun {
  JobId job;
  int epoch = 0;
};
struct FinishesWritten {  // these runs are off the books
  struct One {
    JobId job;
    int epoch = 0;
    bool written =
        false;  // false: a mark was first, or a recovery; a mark's order may be on its way
  };
  std::vector<One> runs;
};
struct VerdictsWritten {
  // Nobody waits for these runs of them any more: a fence at or below this epoch may go.
  std::vector<std::pair<JobId, std::int64_t>> over;
  std::vector<JobId> own;  // of the Foreman's own runs: no longer on their way
};
struct PermitsBack {
  std::string pool;
  int count = 0;
};
// JobActor, just before it quits.
struct RunEnded {
  JobId job;
  int epoch = 0;
  AttemptOutcome outcome = AttemptOutcome::succeeded;
  std::string result = {}, error = {}, usage = {};  // JSON or ""
  std::optional<Millis> retry_after = {};
  bool had_processes = false;
  int effects_aborted = 0;
};
struct SetPool {
  std::string pool;
  int capacity = 0;
};
struct WhenShown {  // Node: called when the figures show all that the Foreman was told before
  std::function<void()> then;
};
struct TellRuns {  // a question whether jobs run here
  std::function<void(const std::vector<JobId>&)> then;
};
struct ForcedRun {  // erased by force: the ghost keeps the slot until the run is down
  JobId job;
  int epoch = 0;
};
struct CheckDeadlines {};  // timer
struct DrainRuns {         // Node: stop taking, hand over what runs; `done` when no run is left
  std::function<void()> done;
  bool at_once = false;
};
struct CensusTaken {  // Clerk: what the store lists as running here
  std::vector<std::pair<JobId, int>> running;
};
struct RunsCounted {  // Clerk: how many runs here a renewal found in the store
  std::int64_t running = 0;
};
struct StopRuns {  // Registrar: the lease is over
  StopCause cause = StopCause::drain;
};

// ---- to a JobActor
// -------------------------------------------------------------------------------------------------
struct StartRun {};
struct StopRun {  // high priority
  StopCause cause = StopCause::deleted;
};
struct EffectHead {
  std::uint64_t id = 0;
  HttpReply head;
};
struct EffectPieces {
  std::uint64_t id = 0;
  std::vector<std::string> pieces;
  std::size_t weight = 0;  // of all
  bool is_enough = false;  // the effect sends no more until it is told to go on
};
struct EffectEnded {
  std::uint64_t id = 0;
  EffectAnswer answer;
  EffectNote note;
};
struct FlushShown {};  // timer: write what the run has shown so far

// ---- to the Deleter
// -------------------------------------------------------------------------------------------------
struct EraseJobs {
  DeleteRequest request;
  std::function<void(Result<DeleteReport>)> answer;
  WriteOps beside = {};  // of who asks: goes into the commit of its last mark
};
struct SliceMarked {  // Clerk: the slice that began at `first`
  std::uint64_t call = 0;
  std::size_t first = 0, count = 0;
  Result<std::vector<storage::MarkedJob>> jobs;
  storage::Durability durability = storage::Durability::local;  // of the commit
};
struct JobVerdict {  // Clerk, after the commit
  storage::VerdictOp verdict;
  storage::VerdictResult result;
  std::optional<RunDown> down;  // nothing: read from the store, which does not know
  storage::Durability durability = storage::Durability::local;  // of the erasure
};
struct MarkAgain {  // timer: the outcome of this slice's mark was unknown
  std::uint64_t call = 0;
  std::size_t first = 0;
};
struct ReadFenced {  // Clerk: how durable is what these tombstones were read from
  std::vector<storage::Tombstone> tombs;
  Result<storage::Durability> durability;
};
struct JobsVerdict {
  std::vector<JobVerdict> verdicts;
};
struct RunStuck {  // Foreman
  JobId job;
};
struct RetryDelete {  // Node: a person wants it tried again
  DeleteId delete_id;
  Millis wait;
  std::function<void(Result<DeleteReport>)> answer;
};
struct WaitOver {  // timer
  std::uint64_t call = 0;
};
struct MarkOverdue {  // timer: the store has not answered the mark, long after the caller's time
  std::uint64_t call = 0;
};
struct ForceDelete {  // Node: a person gives up waiting
  ForceRequest request;
  std::function<void(Result<DeleteReport>)> answer;
};
struct TicketsRead {  // reader: what is pending of a delete that a person wants retried, or forced
  std::shared_ptr<const RetryDelete> retry;
  std::shared_ptr<const ForceDelete> force;
  Result<std::vector<storage::TicketView>> tickets;
};
struct TicketsForced {  // Clerk
  std::uint64_t call = 0;
  Result<storage::Outcome> outcome;
};
struct StatesRead {  // reader: for a dry run, or for jobs whose verdict may have been said
                     // elsewhere
  std::uint64_t call = 0;
  Result<std::vector<storage::Found>> found;
};
struct LookAtStore {  // timer, or a hint: holders of other nodes answer through the store
  bool hinted = false;
};

// ---- to the Courier
// -------------------------------------------------------------------------------------------------
struct DeliveriesDue {};    // Clerk, or a timer: look
struct DeliveriesClaimed {  // Clerk, in commit order with the marks
  Result<std::vector<storage::ClaimedDelivery>> deliveries;
};
struct MarkedDelivery {
  JobId job;
  Uuid ref;
};
struct MarkedDeliveries {  // Clerk: these hold jobs that are to go
  std::vector<MarkedDelivery> all;
};
struct DeliveryWritten {  // Clerk
  std::uint64_t attempt = 0;
  bool written = false;  // false: the store is away, say it again
  bool endpoint_stale = false;
};
struct EndDeliveryAgain {  // timer
  std::uint64_t attempt = 0;
};
struct NextDelivery {  // reader
  std::optional<Instant> due;
};
struct FlyingRead {  // reader: what the store holds as ours after a claim of unknown outcome
  Result<std::vector<Uuid>> ids;
};
struct ReadEndpoints {};  // timer: other nodes change them too
struct DrainDeliveries {  // Node: claim nothing more; `done` when nothing is in flight
  std::function<void()> done;
  bool at_once = false;
};

// ---- to the Sealer
// -------------------------------------------------------------------------------------------------
struct SealNow {};  // timer
struct AuditRead {  // reader
  Result<std::vector<storage::AuditRow>> rows;
  std::optional<storage::AuditRow> head;
};
struct AuditSealed {  // Clerk
  Result<bool> sealed;
  bool more = false;
  AuditHead head;
};
struct AuditChecked {  // reader
  Result<AuditCheck> check;
};

// ---- to the Janitor
// -------------------------------------------------------------------------------------------------
struct SweepTickets {};  // timer
struct TicketsDue {      // reader
  Result<std::vector<storage::TicketView>> tickets;
};

// ---- to the Registrar
// -------------------------------------------------------------------------------------------------
struct BeatNow {};     // timer
struct LookAround {};  // timer: what did others write?
struct ClimbDown {};   // timer: how old is the last renewal?
struct HintsHeard {    // hint listener
  std::vector<std::string> names;
};
struct BeatAnswered {  // Clerk
  Millis from;         // when it was sent
  Result<storage::Outcome> outcome;
};
struct RolesAnswered {  // Clerk
  Result<storage::Outcome> outcome;
};
struct RecoveryAnswered {  // Clerk
  NodeId node;
  Result<storage::Outcome> outcome;
};
struct FleetSeen {  // reader
  Millis began, ended;
  Result<std::vector<storage::NodeView>> nodes;
  Result<storage::Orders> orders;
  Result<std::vector<storage::Doc>> queues, pools, run_questions;
  Result<std::optional<storage::Doc>> ordered;  // what a person told this node to do
  Result<std::optional<storage::Doc>> freeze;   // of all deleting
  Result<std::vector<storage::CountRow>> counts;
  Result<void> secrets;                           // whether they could be read
  std::optional<storage::StoreStats> stats = {};  // not of every look
};
struct OrdersSeen {  // reader
  Result<storage::Orders> orders;
};
struct DrainedByOrder {};
struct HandOver {};  // timer: a drain that was ordered has taken its time
struct SayGoodbye {  // Node: nothing of this life acts any more
  std::function<void()> done;
};

}  // namespace quell

#define QUELL_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quell::name)
QUELL_MESSAGE(WriteOps)
QUELL_MESSAGE(WriteEnds)
QUELL_MESSAGE(MarkJobs)
QUELL_MESSAGE(SetQueue)
QUELL_MESSAGE(LookAgain)
QUELL_MESSAGE(RecallPermits)
QUELL_MESSAGE(LookAtLimits)
QUELL_MESSAGE(DeliveriesDown)
QUELL_MESSAGE(DeliveriesDue)
QUELL_MESSAGE(DeliveriesClaimed)
QUELL_MESSAGE(MarkedDeliveries)
QUELL_MESSAGE(DeliveryWritten)
QUELL_MESSAGE(EndDeliveryAgain)
QUELL_MESSAGE(NextDelivery)
QUELL_MESSAGE(FlyingRead)
QUELL_MESSAGE(ReadEndpoints)
QUELL_MESSAGE(DrainDeliveries)
QUELL_MESSAGE(SealNow)
QUELL_MESSAGE(AuditRead)
QUELL_MESSAGE(AuditSealed)
QUELL_MESSAGE(AuditChecked)
QUELL_MESSAGE(OrdersRead)
QUELL_MESSAGE(BatchApplied)
QUELL_MESSAGE(TakeCensus)
QUELL_MESSAGE(ApplyBatch)
QUELL_MESSAGE(FlushNow)
QUELL_MESSAGE(StoreUpkeep)
QUELL_MESSAGE(DueNow)
QUELL_MESSAGE(ClaimedJobs)
QUELL_MESSAGE(StopMarked)
QUELL_MESSAGE(CancelRun)
QUELL_MESSAGE(FinishesWritten)
QUELL_MESSAGE(VerdictsWritten)
QUELL_MESSAGE(PermitsBack)
QUELL_MESSAGE(RunEnded)
QUELL_MESSAGE(SetPool)
QUELL_MESSAGE(WhenShown)
QUELL_MESSAGE(TellRuns)
QUELL_MESSAGE(ForcedRun)
QUELL_MESSAGE(CheckDeadlines)
QUELL_MESSAGE(DrainRuns)
QUELL_MESSAGE(CensusTaken)
QUELL_MESSAGE(RunsCounted)
QUELL_MESSAGE(StopRuns)
QUELL_MESSAGE(StartRun)
QUELL_MESSAGE(StopRun)
QUELL_MESSAGE(EffectHead)
QUELL_MESSAGE(EffectPieces)
QUELL_MESSAGE(EffectEnded)
QUELL_MESSAGE(FlushShown)
QUELL_MESSAGE(EraseJobs)
QUELL_MESSAGE(SliceMarked)
QUELL_MESSAGE(JobsVerdict)
QUELL_MESSAGE(MarkAgain)
QUELL_MESSAGE(RunStuck)
QUELL_MESSAGE(RetryDelete)
QUELL_MESSAGE(WaitOver)
QUELL_MESSAGE(MarkOverdue)
QUELL_MESSAGE(ReadFenced)
QUELL_MESSAGE(ForceDelete)
QUELL_MESSAGE(TicketsRead)
QUELL_MESSAGE(TicketsForced)
QUELL_MESSAGE(StatesRead)
QUELL_MESSAGE(LookAtStore)
QUELL_MESSAGE(SweepTickets)
QUELL_MESSAGE(TicketsDue)
QUELL_MESSAGE(BeatNow)
QUELL_MESSAGE(LookAround)
QUELL_MESSAGE(ClimbDown)
QUELL_MESSAGE(HintsHeard)
QUELL_MESSAGE(BeatAnswered)
QUELL_MESSAGE(RolesAnswered)
QUELL_MESSAGE(RecoveryAnswered)
QUELL_MESSAGE(FleetSeen)
QUELL_MESSAGE(OrdersSeen)
QUELL_MESSAGE(DrainedByOrder)
QUELL_MESSAGE(HandOver)
QUELL_MESSAGE(SayGoodbye)
#undef QUELL_MESSAGE
