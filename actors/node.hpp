// One process of the runtime, as its owner sees it: the embedding API. Starts and supervises every
// actor; shows none of their machinery. All calls are thread-safe and answer by callback, on a
// thread of the node, so a callback must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/delete_report.hpp"
#include "runtime/queue_limits.hpp"
#include "runtime/result.hpp"
#include "runtime/task.hpp"
#include "storage/store.hpp"

namespace quell {

class EndpointShelf;
class Keeper;  // forks and reaps `exec` jobs; must be made before the process has threads

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct QueueSetting {
  std::string name, pool = "default";
  int weight = 1;
};

struct NodeSettings {
  std::string store = "memory:";
  std::string data_dir;
  std::map<std::string, int> pools = {{"default", 1000}};
  std::vector<QueueSetting> queues = {};  // a queue not named here uses the pool `default`
  int job_threads = 0;                    // 0: max(2, cores)
  int read_threads = 2;
  std::vector<std::string> outbound_allow = {};          // CIDRs beyond the public internet
  Millis stop_deadline{2'000};                           // then a run counts as stuck
  Millis beat{5'000}, lease{15'000}, self_stop{10'000};  // of a store that other nodes share
  Millis poll{1'000};            // how often a node looks for orders that no hint told it of
  Millis drain_timeout{30'000};  // of a drain that somebody ordered through the store
  Millis janitor_period{1'000};
  int delete_tries = 10;
  int max_lost = 3;
  std::optional<Millis> keep_copy = {};  // archive of deleted jobs
  Millis tomb_keep{std::chrono::hours{24 * 30}};
  Millis keep_succeeded{std::chrono::hours{24 * 7}}, keep_failed{std::chrono::hours{24 * 30}},
      keep_cancelled{std::chrono::hours{24 * 3}};
  int webhook_concurrency = 32;  // deliveries in flight at once
  Millis webhook_timeout{20'000};
  Millis webhook_patience{std::chrono::hours{24 * 5}};  // of failure; then the endpoint is disabled
  Millis webhook_rotate{std::chrono::hours{24}};        // both secrets sign for so long
  std::size_t clerk_queue = 100'000;  // operations waiting; above it calls answer `overloaded`
  std::string secret_key = {};  // base64; the nodes of a fleet share it. Empty: a file in data_dir
  bool unsafe = false;
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
};

// What a service manager reads as "start me again".
inline constexpr int lease_lost_exit = 75;

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
  virtual void force_delete(DeleteId id, std::string who, std::string reason,
                            std::function<void(Result<DeleteReport>)> answer) = 0;
  // A call that nobody pursues and nothing holds any more, but whose receipt a crash has swallowed,
  // gets one made from its tombstones, and kept. Any other comes back as it is.
  virtual Result<storage::CallView> with_late_receipt(storage::CallView call,
                                                      storage::Reader& reader) = 0;
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

  virtual EndpointShelf& endpoints() = 0;  // registered webhooks

  // Anything else that is stored (documents, audit rows): through the Clerk, in its order.
  virtual void write(storage::Batch batch,
                     std::function<void(Result<storage::Outcome>)> answer) = 0;
  // Runs on a reader's thread, never in the way of a write.
  virtual void read(std::function<void(storage::Reader&)> work) = 0;

  virtual std::vector<PoolView> pools() = 0;    // this node's; `waiting` may be a second old
  virtual std::vector<QueueView> queues() = 0;  // known here
  virtual std::vector<FleetNode> fleet() = 0;   // as of the last look: a second old, or two
  // Tells a node of the fleet, this one too, to drain (hand over and take nothing) or to stop.
  virtual void order_node(const storage::NodeLife& node, bool stop,
                          std::function<void(Result<void>)> answer) = 0;
  virtual Health health() = 0;
  virtual std::string metrics() = 0;  // Prometheus text of the runtime's own figures
  virtual std::uint64_t subscribe(std::function<void(const NodeEvent&)> watcher) = 0;
  virtual void unsubscribe(std::uint64_t id) = 0;

  virtual storage::NodeLife self() const = 0;
  virtual const NodeSettings& settings() const = 0;
  virtual const Registry& registry() const = 0;
  virtual std::string public_key_pem() const = 0;  // verifies the receipts
  virtual IdSource& ids() = 0;

  // Stops claiming, lets what runs end within the deadline, then hands it over (no attempt is
  // counted). Blocks. False: a run did not end; its thread can't be joined, so the process should
  // flush and `_exit`.
  virtual bool stop(Millis deadline) = 0;
};

// `keeper` may be null: then `exec` jobs are refused with a clear error.
Result<std::unique_ptr<Node>> start_node(NodeSettings settings, Registry registry,
                                         std::shared_ptr<Keeper> keeper);

}  // namespace quell
