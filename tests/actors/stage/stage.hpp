// A node's actors on a stage: one scheduler that runs only when told, a clock that stands until it
// is turned, a store in memory, and a world of effects that answers when asked to. Everything that
// can happen to a delete can happen here in an order that the test chooses.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/deletes/freeze.hpp"
#include "actors/effects/secret_registry.hpp"
#include "actors/fleet/fleet_snapshot.hpp"
#include "actors/fleet/registrar.hpp"
#include "actors/node/busy_snapshot.hpp"
#include "actors/node/pool_snapshot.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/steering.hpp"
#include "actors/node_context.hpp"
#include "actors/runs/leased_effects.hpp"
#include "actors/writes/clerk.hpp"
#include "storage/memory/memory_store.hpp"

namespace quell {

class StageClock final : public Clock {
 public:
  Instant now() const override { return Instant{ms + put_forth}; }
  Millis monotonic() const override { return ms; }
  Millis ms{1'800'000'000'000};
  Millis put_forth{0};  // by somebody who set the wall clock
};

// The outside world as one node sees it. An effect that is asked to end does so at once, or when
// the test lets it: sockets close late, programs die late, some never.
class StageEffects final : public EffectRunner {
 public:
  enum class Manner : std::uint8_t { obedient, late };
  struct Open {
    std::shared_ptr<EffectSink> sink;
    std::uint64_t id = 0;
    EffectOrigin origin;
    bool abort_asked = false;
    bool ended = false;
    std::optional<HttpRequest> sent = {};  // of a webhook delivery: no run has epoch 0
    bool is_delivery() const { return origin.epoch == 0; }
  };

  std::unique_ptr<RunningEffect> start(std::shared_ptr<EffectSink> sink, std::uint64_t id,
                                       EffectRequest request, const EffectOrigin& origin) override;
  std::size_t open() const { return open_.size(); }
  bool has(JobId job) const;
  bool end(JobId job);           // of its run, by itself; false: none is open
  const Open* delivery() const;  // the oldest one in flight
  bool end_delivery(EffectAnswer answer = HttpReply(200, {}, {}));  // … is answered
  bool end_nth(std::size_t n);  // the n-th that is open ends by itself
  void end_all();               // whatever was asked of it
  void let_aborted_ones_end();  // the late closes come in
  void abort(const std::shared_ptr<Open>& effect);

  Manner manner = Manner::obedient;
  std::function<void(const EffectOrigin&)> on_start;
  std::vector<HttpRequest> delivered;  // whatever was sent to webhooks, in order

 private:
  void answer(std::size_t at, bool aborted);
  std::vector<std::shared_ptr<Open>> open_;
};

// One process: dies with everything in it but the store.
class StageLife {
 public:
  StageLife(storage::MemoryStore& store, NodeSettings settings, const Registry& registry,
            StageClock& clock, IdSource& ids, NodeId node, bool in_fleet = false, int writers = 1);
  ~StageLife();  // as a crash: what it still had to say is not heard

  caf::scheduler::test_coordinator& scheduler();
  NodeContext& context() { return *context_; }

  ManualTimers timers;
  StageEffects effects;
  EventHub events;
  Metrics metrics;
  PoolSnapshot pools;
  BusySnapshot busy;
  FleetSnapshot fleet;
  Lease lease;
  Roles roles;
  Freeze freeze;
  bool dead = false;
  int left = 0;                    // how often it would have ended its process
  std::vector<FatalFault> fallen;  // of its parts, by a fault of ours

 private:
  std::unique_ptr<storage::Writer> begin_life_in(storage::MemoryStore& store, NodeId node);
  ClerkParts parts(storage::MemoryStore& store, std::unique_ptr<storage::Writer> writer) const;
  RegistrarParts registrar_parts();

  storage::MemoryStore& store_;
  NodeSettings settings_;
  Steering steering_;
  SecretRegistry secrets_;
  LeasedEffects leased_;
  bool in_fleet_;
  int writers_;  // that write for the Clerk
  Millis born_;
  std::unique_ptr<DirectReaders> readers_;
  std::shared_ptr<NodeContext> context_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

// What somebody was told of a delete.
struct StageCall {
  DeleteRequest request;
  std::vector<DeleteReport> reports;  // one, if all is well
  std::vector<Error> errors;
  bool forlorn = false;  // its process died first
  bool answered() const { return !reports.empty() || !errors.empty(); }
};

// A node that keeps what has ended by these rules.
inline void keep_by(const RetentionRules& rules, SettingValues& settings) {
  settings.retention_succeeded = rules.succeeded;
  settings.retention_failed = rules.failed;
  settings.retention_cancelled = rules.cancelled;
}

class Stage {
 public:
  explicit Stage(std::map<std::string, int> pools = {{"default", 2}}, int writers = 1,
                 RetentionRules retention = {});
  ~Stage();

  // ---- what clients do ----
  JobId submit(const std::string& kind, std::function<void(NewJob&)> change = {},
               bool with_delivery = false);
  std::shared_ptr<StageCall> erase(std::vector<JobId> jobs, Millis wait = Millis{3'600'000});
  void steer(JobId job, JobEvent event);
  void pause(const std::string& queue, bool paused);
  void set_pool(const std::string& pool, int capacity);
  void retry_delete(DeleteId id);
  void force_delete(DeleteId id);
  std::shared_ptr<bool> drain(bool at_once);
  void crash();     // and start again on the same store
  void keep_log();  // from a new life on: what is said aloud is in `said`
  void restart_with(const std::function<void(NodeSettings&)>& change);  // as a crash
  void write(std::shared_ptr<storage::Batch> ops,
             std::function<void(Result<storage::Outcome>)> answer = {});
  void beat();
  // Those in flight are answered, the oldest first.
  void land_deliveries();

  // ---- what happens ----
  bool step(std::size_t which);  // one message of the which-th actor that has mail
  void run();                    // until nobody has mail
  void run_without(const caf::actor& held);
  void run_without(std::size_t which);  // of those that have mail now: its thread is held up
  void turn(Millis by);                 // the clock
  // Faults heal, effects answer, time passes, until nothing is left to do. False: it never ended.
  bool heal();
  // Until the calls are answered, with late effects coming in.
  bool settle(const std::vector<std::shared_ptr<StageCall>>& calls);

  // ---- what is ----
  StageLife& life() { return *life_; }
  NodeContext& context() { return life_->context(); }
  storage::MemoryStore& store() { return *store_; }
  storage::Reader& reader() { return *reader_; }
  std::optional<JobView> job(JobId id);
  std::optional<JobState> state(JobId id);  // nothing: no row
  bool has_tomb(JobId id);
  PoolView pool(const std::string& name = "default");
  std::vector<storage::TicketView> tickets();
  std::size_t audited_deletes();  // jobs in the audit's delete and force rows
  // Every law that must hold at any moment; adds to `wrong`.
  void check_now();
  // … when nobody has mail and no commit was spoilt: no timer is needed for what could run.
  void check_nobody_waits();
  // … and when nothing happens any more.
  void check_at_rest();

  StageClock clock;
  std::vector<std::string> wrong;  // broken promises, in words
  std::vector<std::string> said;   // warnings and errors
  std::set<JobId> jobs;            // acknowledged submits
  std::set<JobId> asked_to_go;     // in any delete
  std::set<JobId> unproven;        // forced: no promise about their effects
  std::vector<std::shared_ptr<StageCall>> calls;
  std::function<storage::CommitFate(const storage::Batch&)> fate;  // of the next commits

 private:
  void open_life();
  void hear(const std::shared_ptr<StageCall>& call, const Result<DeleteReport>& report);
  void check_report(const DeleteReport& report);
  template <class T>
  auto alive(T answer);

  Registry registry_;
  NodeSettings settings_;
  IdSource ids_;
  NodeId node_;
  int writers_;
  std::uint64_t last_job_ = 0;
  std::unique_ptr<storage::MemoryStore> store_;
  std::unique_ptr<storage::Reader> reader_;
  std::unique_ptr<StageLife> life_;
};

}  // namespace quell
