// One process of the runtime, as its owner sees it: the embedding API. Starts and supervises every
// actor; shows none of their machinery. All calls are thread-safe and answer by callback, on a
// thread of the node, so a callback must not block.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/backups/running_backup.hpp"
#include "actors/deletes/delete_report.hpp"
#include "actors/deletes/restore_report.hpp"
#include "actors/deletes/retention_report.hpp"
#include "actors/node/fatal_fault.hpp"
#include "actors/operations/operation.hpp"
#include "actors/schedules/task_delete.hpp"
#include "runtime/base/result.hpp"
#include "runtime/policy/queue_limits.hpp"
#include "runtime/policy/retention_policy.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/task/task.hpp"
#include "storage/store.hpp"

namespace quell {

class EndpointRegistry;
class Keeper;  // forks and reaps `exec` jobs; must be made before the process has threads

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// How the node is set up: each setting of runtime/spec/settings.def, and what only a program can
// say.
struct NodeSettings : SettingValues {
  bool take_work = true;  // false: serve and steer, run nothing
  // Where the node's log lines go, from any thread; empty: nowhere. `fields` is a JSON object's
  // inside, or "".
  std::function<void(LogLevel level, const std::string& text, const std::string& fields)> log = {};
  std::string version = {};  // shown to who lists the nodes
  // The lease is lost and the process must end now, without goodbye. Empty:
  // `_exit(lease_lost_exit)`.
  std::function<void()> leave = {};
  // Somebody ordered this node to stop. Empty: it drains, and stays.
  std::function<void()> end = {};
  // A part of the node has fallen by a fault of quell's own, which is logged: the node is over, and
  // starts nothing more. Called once, from the thread that fell, whose stack may be deep in the
  // node: end the process, or have another thread stop the node. Empty: `_exit(own_fault_exit)`.
  std::function<void(const FatalFault&)> on_fatal = {};
};

// What a service manager reads as "start me again".
inline constexpr int lease_lost_exit = 75;
inline constexpr int own_fault_exit = 70;  // also: a run did not end

struct PoolView {
  std::string name;
  int capacity = 0, used = 0, free = 0, stuck = 0;
  std::int64_t waiting = 0;
};

struct QueueView {
  std::string name, pool;
  bool paused = false, closed = false;
  QueueLimits limits = {};
};

struct SecretSetting {
  std::string name, project = "default";
  std::vector<std::string> hosts;  // it may be sent to these: exact names, or *.example.com
  std::string value;
};
struct SecretView {
  std::string name, project;
  std::vector<std::string> hosts;
};

// A node that shares the store, as this one last saw it.
struct FleetNode {
  storage::NodeView view;
  Millis beat_age{0};  // how long its beat has been watched standing still
};

// Something a watcher may want to know; told after the commit.
struct NodeEvent {
  std::string type;  // job.created, job.started, job.succeeded, …, job.deleted, pool.updated
  std::optional<JobId> job = {};
  std::string queue = {};
  std::string data = {};  // JSON
  Instant at;
};

struct Health {
  bool ready = false;
  std::vector<std::pair<std::string, std::string>> checks;  // name, "ok" or what is wrong
};

// A person stops all deleting, or lets it go on.
struct FreezeOrder {
  bool frozen = true;
  std::string who, reason;
  Instant at;
  bool history_lost = false;  // by a node, because the store has lost what it had acknowledged
};

// What became of a delete that the spike guard held, once it was approved.
struct ApprovedDelete {
  std::optional<DeleteReport> report = {};
  std::optional<Operation> operation = {};
  std::optional<TasksOrdered> tasks = {};
};

// What the nodes of a fleet say that they run.
struct FleetRuns {
  std::vector<std::pair<JobId, NodeId>> runs;
  std::size_t answered = 0;
  std::vector<NodeId> silent;  // not called dead, and without a word in time
};

class Node {
 public:
  virtual ~Node() = default;  // stops at once if nobody called stop()

  virtual void submit(std::vector<NewJob> jobs,
                      std::function<void(Result<std::vector<storage::EnqueueResult>>)> answer) = 0;
  virtual void erase(DeleteRequest request, std::function<void(Result<DeleteReport>)> answer) = 0;
  virtual void steer(
      storage::SteerOp op,
      std::function<void(Result<storage::SteerResult>)> answer) = 0;  // cancel, revive, run_now
  // Retries what is pending of this delete now, and reports when done or after `wait`.
  virtual void retry_delete(DeleteId id, Millis wait,
                            std::function<void(Result<DeleteReport>)> answer) = 0;
  virtual void force_delete(ForceRequest request,
                            std::function<void(Result<DeleteReport>)> answer) = 0;
  // Brings deleted jobs back from their copies. Answers when all of them are decided.
  virtual void restore(RestoreRequest request,
                       std::function<void(Result<RestoreReport>)> answer) = 0;
  // Lets what has expired go now, whether the sweep is on or not.
  virtual void run_retention(RetentionRun run,
                             std::function<void(Result<RetentionReport>)> answer) = 0;
  // Begins a backup into backup_dir, and answers its id; it is made whatever becomes of the caller.
  virtual void make_backup(const std::string& who, std::function<void(Result<Uuid>)> answer) = 0;
  virtual std::optional<RunningBackup> running_backup() = 0;  // by this node
  // Refuses every new delete, also by force, on every node that shares the store; or no longer.
  // Counts here at once, elsewhere when that node has read it: within two seconds.
  virtual void freeze_deletions(FreezeOrder order, std::function<void(Result<void>)> answer) = 0;
  virtual DeletionRules deletion_rules() const = 0;  // at this moment
  // Begins an operation over all jobs of a filter; the answer is how it begins. It survives this
  // node: another one of the fleet takes it up.
  virtual void start_operation(OperationOrder order,
                               std::function<void(Result<Operation>)> answer) = 0;
  // A person has seen an alert; with `approve` the delete that it holds is made.
  virtual void act_on_alert(Uuid alert, bool approve, const std::string& who,
                            std::function<void(Result<ApprovedDelete>)> answer) = 0;
  // Pause, resume or stop: obeyed behind the slice that is at work.
  virtual void steer_operation(const Operation& operation, OperationWish wish,
                               const std::string& who,
                               std::function<void(Result<void>)> answer) = 0;
  // A call that nobody pursues and nothing holds any more, but whose receipt a crash has swallowed,
  // gets one made from its tombstones, and kept. Any other comes back as it is.
  virtual Result<storage::CallView> with_late_receipt(storage::CallView call,
                                                      storage::Reader& reader) = 0;
  // Deletes a schedule and its jobs. The answer comes when that is stored, and from then on it
  // never fires; or, with a wait, when it is gone.
  virtual void delete_task(TaskDeleteRequest request,
                           std::function<void(Result<TaskDeleteReport>)> answer) = 0;
  // The same of several, which the spike guard judges as one call.
  virtual void delete_tasks(std::vector<Uuid> tasks, TaskDeleteRequest request,
                            std::function<void(Result<TasksOrdered>)> answer) = 0;
  virtual void set_queue(const std::string& name, std::optional<bool> paused,
                         std::optional<bool> closed, std::function<void(Result<void>)> answer) = 0;
  // Counts here at once; elsewhere when that node has read it, within a beat. `if_version`: only if
  // the stored document ("queue" or "pool") has this version, 0 when there is none; the answer
  // tells whether it was written, and its version now.
  virtual void limit_queue(const std::string& name, const QueueLimits& limits,
                           std::optional<std::int64_t> if_version,
                           std::function<void(Result<storage::DocResult>)> answer) = 0;
  virtual void set_pool(const std::string& name, int capacity,
                        std::optional<std::int64_t> if_version,
                        std::function<void(Result<storage::DocResult>)> answer) = 0;

  // Sealed before it is stored; nobody can read it back.
  virtual void set_secret(SecretSetting secret, std::function<void(Result<void>)> answer) = 0;
  virtual void remove_secret(
      const std::string& project, const std::string& name,
      std::function<void(Result<bool>)> answer) = 0;  // false: there was none
  virtual std::vector<SecretView> secrets() = 0;

  virtual EndpointRegistry& endpoints() = 0;  // registered webhooks

  // Anything else that is stored (documents, audit rows): through the Clerk, in its order.
  virtual void write(storage::Batch batch,
                     std::function<void(Result<storage::Outcome>)> answer) = 0;
  // Runs on a reader's thread, never in the way of a write.
  virtual void read(std::function<void(storage::Reader&)> work) = 0;

  virtual std::vector<PoolView> pools() = 0;    // this node's; `waiting` may be a second old
  virtual std::vector<QueueView> queues() = 0;  // known here
  // Which of these jobs the nodes have in hand at this moment, whatever the store says; of more
  // than 1,000, and of none, all that they run.
  virtual void ask_runs(std::vector<JobId> jobs, std::function<void(Result<FleetRuns>)> answer) = 0;
  virtual std::vector<FleetNode> fleet() = 0;  // as of the last look: a second old, or two
  // Tells a node of the fleet, this one too, to drain (hand over and take nothing) or to stop.
  virtual void order_node(const storage::NodeLife& node, bool stop,
                          std::function<void(Result<void>)> answer) = 0;
  virtual Health health() = 0;
  virtual std::string metrics() = 0;  // Prometheus text of the runtime's own figures
  virtual std::uint64_t subscribe(std::function<void(const NodeEvent&)> watcher) = 0;
  // What all nodes of the store commit, in that order, with the type `reset` when some of it was
  // not heard. On a store where nodes do not hear each other it is this node's own.
  virtual std::uint64_t subscribe_to_fleet(std::function<void(const NodeEvent&)> watcher) {
    return subscribe(std::move(watcher));
  }
  // Calls `ready` when the other nodes tell theirs; it may be on another thread.
  virtual void follow_fleet(std::function<void()> ready) { ready(); }
  virtual void unsubscribe(std::uint64_t id) = 0;

  // What serves the node has met a fault of quell's own: it ends as the node's own parts do.
  // The team's code (a Celery app, modules of Python) is read anew, if it can be read: tasks that
  // run go on with what they have, those that begin from then on have the new one, none is lost.
  virtual void reload_tasks() = 0;
  virtual void fell(const std::string& place, const std::exception_ptr& thrown) = 0;

  virtual storage::NodeLife self() const = 0;
  virtual const NodeSettings& settings() const = 0;
  virtual const Registry& registry() const = 0;
  virtual std::string public_key_pem() const = 0;  // verifies the receipts
  // Of exactly these bytes, by the key that signs the receipts; raw. Never of what a caller made.
  virtual std::string signature_of(std::string_view bytes) const = 0;
  virtual IdSource& ids() = 0;

  // Stops claiming, lets what runs end within the deadline, then hands it over (no attempt is
  // counted). Blocks. False: a run did not end; its thread can't be joined, so the process should
  // flush and `_exit`.
  virtual bool stop(Millis deadline) = 0;
  // Then it was no run, but a commit that the store has not answered.
  virtual bool left_commit() const { return false; }
};

// `keeper` may be null if exec is off: whatever asks for a program fails then, with a reason.
Result<std::unique_ptr<Node>> start_node(NodeSettings settings, Registry registry,
                                         std::shared_ptr<Keeper> keeper);

}  // namespace quell
