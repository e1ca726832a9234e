// The Node as it is: a store, a group of actors, the threads that serve them. Only node_*.cpp see
// it.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/deletes/freeze.hpp"
#include "actors/effects/effect_host.hpp"
#include "actors/effects/keeper.hpp"
#include "actors/effects/secret_registry.hpp"
#include "actors/fatal.hpp"
#include "actors/fleet/fleet_snapshot.hpp"
#include "actors/node/actor_group.hpp"
#include "actors/node/busy_snapshot.hpp"
#include "actors/node/data_dir.hpp"
#include "actors/node/fleet_news.hpp"
#include "actors/node/node.hpp"
#include "actors/node/node_life.hpp"
#include "actors/node/node_metrics.hpp"
#include "actors/node/pool_snapshot.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/steering.hpp"
#include "actors/safeguards/spike_watch.hpp"
#include "actors/send.hpp"
#include "actors/writes/hint_listener.hpp"
#include "runtime/signing/receipt_signer.hpp"

namespace quell {

class NodeRuntime final : public Node {
 public:
  NodeRuntime(NodeSettings settings, Registry registry, std::shared_ptr<Keeper> keeper)
      : settings_(std::move(settings)),
        registry_(std::move(registry)),
        keeper_(std::move(keeper)),
        fatal_(std::make_shared<FatalHandler>([this](const FatalFault& fault) { fall(fault); })),
        ids_(system_clock()),
        steering_(settings_) {}

  ~NodeRuntime() override;

  Result<void> start();

  void submit(std::vector<NewJob> jobs,
              std::function<void(Result<std::vector<storage::EnqueueResult>>)> answer) override;
  void erase(DeleteRequest request, std::function<void(Result<DeleteReport>)> answer) override;
  void steer(storage::SteerOp op,
             std::function<void(Result<storage::SteerResult>)> answer) override;
  Result<storage::CallView> with_late_receipt(storage::CallView call,
                                              storage::Reader& reader) override;
  void retry_delete(DeleteId id, Millis wait,
                    std::function<void(Result<DeleteReport>)> answer) override {
    tell_first(context_->deleter, RetryDelete{id, wait, std::move(answer)});
  }
  void force_delete(ForceRequest request,
                    std::function<void(Result<DeleteReport>)> answer) override;
  void delete_task(TaskDeleteRequest request,
                   std::function<void(Result<TaskDeleteReport>)> answer) override;
  void delete_tasks(std::vector<Uuid> tasks, TaskDeleteRequest request,
                    std::function<void(Result<TasksOrdered>)> answer) override;
  void restore(RestoreRequest request, std::function<void(Result<RestoreReport>)> answer) override;
  void run_retention(RetentionRun run,
                     std::function<void(Result<RetentionReport>)> answer) override;
  void make_backup(const std::string& who, std::function<void(Result<Uuid>)> answer) override;
  std::optional<RunningBackup> running_backup() override { return backup_state_->running(); }
  void freeze_deletions(FreezeOrder order, std::function<void(Result<void>)> answer) override;
  DeletionRules deletion_rules() const override;
  void start_operation(OperationOrder order,
                       std::function<void(Result<Operation>)> answer) override;
  void act_on_alert(Uuid alert, bool approve, const std::string& who,
                    std::function<void(Result<ApprovedDelete>)> answer) override;
  void steer_operation(const Operation& operation, OperationWish wish, const std::string& who,
                       std::function<void(Result<void>)> answer) override;
  void set_queue(const std::string& name, std::optional<bool> paused, std::optional<bool> closed,
                 std::function<void(Result<void>)> answer) override;
  void limit_queue(const std::string& name, const QueueLimits& limits,
                   std::optional<std::int64_t> if_version,
                   std::function<void(Result<storage::DocResult>)> answer) override;
  void set_pool(const std::string& name, int capacity, std::optional<std::int64_t> if_version,
                std::function<void(Result<storage::DocResult>)> answer) override;
  void set_secret(SecretSetting secret, std::function<void(Result<void>)> answer) override;
  void remove_secret(const std::string& project, const std::string& name,
                     std::function<void(Result<bool>)> answer) override;
  std::vector<SecretView> secrets() override { return secrets_->list(); }
  EndpointRegistry& endpoints() override { return *context_->endpoints; }
  void write(storage::Batch batch, std::function<void(Result<storage::Outcome>)> answer) override {
    tell(context_->clerk,
         WriteOps{std::make_shared<storage::Batch>(std::move(batch)), std::move(answer)});
  }
  void read(std::function<void(storage::Reader&)> work) override { readers_->run(std::move(work)); }

  std::vector<PoolView> pools() override;
  std::vector<QueueView> queues() override { return steering_.queues(); }
  void ask_runs(std::vector<JobId> jobs, std::function<void(Result<FleetRuns>)> answer) override;
  std::vector<FleetNode> fleet() override;
  void order_node(const storage::NodeLife& node, bool stop,
                  std::function<void(Result<void>)> answer) override;
  Health health() override;
  std::string metrics() override {
    return runtime_metrics(metrics_, pool_snapshot_.read()) +
           fleet_metrics(fleet(), lease_.holds(), !freeze_.lost().empty());
  }
  std::uint64_t subscribe(std::function<void(const NodeEvent&)> watcher) override {
    return events_.subscribe(std::move(watcher));
  }
  std::uint64_t subscribe_to_fleet(std::function<void(const NodeEvent&)> watcher) override {
    return events_.subscribe_to_fleet(std::move(watcher));
  }
  void follow_fleet(std::function<void()> ready) override { fleet_news_->follow(std::move(ready)); }
  void unsubscribe(std::uint64_t id) override { events_.unsubscribe(id); }

  void reload_tasks() override { effect_host_->reload_tasks(); }
  void fell(const std::string& place, const std::exception_ptr& thrown) override {
    fatal_->threw(place, {}, thrown);
  }
  storage::NodeLife self() const override { return self_; }
  const NodeSettings& settings() const override { return settings_; }
  const Registry& registry() const override { return registry_; }
  std::string public_key_pem() const override { return signer_->public_key_pem(); }
  std::string signature_of(std::string_view bytes) const override {
    return signer_->signature(bytes);
  }
  IdSource& ids() override { return ids_; }
  bool stop(Millis deadline) override;
  bool left_commit() const override { return left_commit_; }

 private:
  std::optional<storage::Durability> durability_of_read();
  Result<void> open_store();
  Result<void> open_keys();
  Result<SecretBox> open_box() const;
  Result<void> begin(storage::Writer& writer);
  Result<BegunLife> begin_as_another(storage::Writer& writer, NodeId other, const Births& births);
  void tell_recovered(const storage::RecoverResult& left) const;
  Result<void> start_effect_host();
  void keeper_died();
  void fall(const FatalFault& fault);
  void leave_process();
  void doubt_history(const std::string& why);
  Result<void> tell_lost(const std::string& why);
  Result<std::unique_ptr<storage::Writer>> open_first_writer();
  void keep_acknowledged();
  void put_doc(storage::DocOp doc, std::function<void(Result<storage::DocResult>)> answer,
               std::function<void()> apply);
  void put_queue(const QueueView& view, std::function<void(Result<void>)> answer);
  void fill_cast();
  RegistrarParts registrar_parts();
  void refuse(storage::AuditOp row, Error reason, const std::function<void(Error)>& answer);
  void note_gone(const DeleteReport& report);
  void send_erase(DeleteRequest request, std::function<void(Result<DeleteReport>)> answer);
  void hold(const Alert& alert, const HeldDelete& held, const std::string& key,
            std::function<void(Error)> answer);
  void keep_held(Alert alert, const HeldDelete& held, std::function<void(Error)> answer);
  void look_for_spikes(const std::string& project, const DeleteReport& report);
  void raise(Alert alert);
  void write_alert_act(Alert alert, std::int64_t version, bool approve, HeldDelete held,
                       std::function<void(Result<ApprovedDelete>)> answer);
  void watch_threads();
  struct Drained {
    bool runs = false, deliveries = false;
  };
  bool store_is_silent() const;
  bool nothing_runs() const;
  bool comes_until(std::chrono::steady_clock::time_point end, const std::future<void>& word) const;
  Drained drained_within(Millis deadline, bool at_once);
  void say_goodbye();
  std::function<void(Result<storage::Outcome>)> remembered(
      const storage::DocOp& doc, std::function<void(Result<void>)> answer);
  void say(LogLevel level, const std::string& text, const std::string& fields = {}) const {
    if (settings_.log) settings_.log(level, text, fields);
  }

  NodeSettings settings_;
  Registry registry_;
  std::shared_ptr<Keeper> keeper_;
  std::shared_ptr<FatalHandler> fatal_;
  IdSource ids_;
  Steering steering_;
  Freeze freeze_;
  std::shared_ptr<BackupState> backup_state_ = std::make_shared<BackupState>();
  SpikeWatch spikes_;
  std::optional<DataDir> data_dir_;
  std::unique_ptr<storage::Store> store_;
  storage::NodeLife self_;
  Millis born_{0};
  Instant born_at_;
  Lease lease_{system_clock()};
  std::optional<Roles> roles_;
  std::optional<ReceiptSigner> signer_;
  std::unique_ptr<SecretRegistry> secrets_;
  std::shared_ptr<EndpointRegistry> endpoints_;

  Metrics metrics_;
  EventHub events_;
  PoolSnapshot pool_snapshot_;
  BusySnapshot busy_snapshot_;
  FleetSnapshot fleet_snapshot_;
  std::unique_ptr<FleetNews> fleet_news_;
  std::unique_ptr<ReaderPool> readers_;
  std::unique_ptr<EffectHost> effect_host_;
  std::shared_ptr<NodeContext> context_;
  std::unique_ptr<ActorGroup> actor_group_;
  std::unique_ptr<HintListener> listener_;
  std::mutex counts_mutex_;
  std::unique_ptr<storage::Reader> counts_reader_;
  std::atomic<std::uint64_t> submitting_{0};
  std::atomic<bool> stopping_{false}, history_told_{false};
  std::string acknowledged_;  // as the data directory has it
  bool is_held_ = false;      // the node was stopped and a run did not end
  bool left_commit_ = false;  // or a commit
  int threads_ = 2;
};

}  // namespace quell
