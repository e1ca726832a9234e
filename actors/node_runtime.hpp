// The Node as it is: a store, a cast of actors, the threads that serve them. Only node_*.cpp see
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

#include "actors/busy_board.hpp"
#include "actors/data_dir.hpp"
#include "actors/effects/keeper.hpp"
#include "actors/fleet_board.hpp"
#include "actors/hint_listener.hpp"
#include "actors/node.hpp"
#include "actors/node_life.hpp"
#include "actors/node_metrics.hpp"
#include "actors/pool_board.hpp"
#include "actors/reader_pool.hpp"
#include "actors/secret_shelf.hpp"
#include "actors/send.hpp"
#include "actors/steering.hpp"
#include "actors/troupe.hpp"
#include "actors/world.hpp"
#include "runtime/receipt_signer.hpp"

namespace quell {

class NodeRuntime final : public Node {
 public:
  NodeRuntime(NodeSettings settings, Registry registry, std::shared_ptr<Keeper> keeper)
      : settings_(std::move(settings)),
        registry_(std::move(registry)),
        keeper_(std::move(keeper)),
        ids_(system_clock()),
        steering_(settings_) {}

  ~NodeRuntime() override;

  Result<void> start();

  void submit(std::vector<NewJob> jobs,
              std::function<void(Result<std::vector<storage::EnqueueResult>>)> answer) override;
  void erase(DeleteRequest request, std::function<void(Result<DeleteReport>)> answer) override {
    tell_first(cast_->deleter, EraseJobs{std::move(request), std::move(answer)});
  }
  void steer(storage::SteerOp op,
             std::function<void(Result<storage::SteerResult>)> answer) override;
  Result<storage::CallView> with_late_receipt(storage::CallView call,
                                              storage::Reader& reader) override;
  void retry_delete(DeleteId id, Millis wait,
                    std::function<void(Result<DeleteReport>)> answer) override {
    tell_first(cast_->deleter, RetryDelete{id, wait, std::move(answer)});
  }
  void force_delete(DeleteId id, std::string who, std::string reason,
                    std::function<void(Result<DeleteReport>)> answer) override {
    tell_first(cast_->deleter,
               ForceDelete{id, std::move(who), std::move(reason), std::move(answer)});
  }
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
  EndpointShelf& endpoints() override { return *cast_->endpoints; }
  void write(storage::Batch batch, std::function<void(Result<storage::Outcome>)> answer) override {
    tell(cast_->clerk,
         WriteOps{std::make_shared<storage::Batch>(std::move(batch)), std::move(answer)});
  }
  void read(std::function<void(storage::Reader&)> work) override { readers_->run(std::move(work)); }

  std::vector<PoolView> pools() override;
  std::vector<QueueView> queues() override { return steering_.queues(); }
  std::vector<FleetNode> fleet() override;
  void order_node(const storage::NodeLife& node, bool stop,
                  std::function<void(Result<void>)> answer) override;
  Health health() override;
  std::string metrics() override {
    return runtime_metrics(figures_, pool_board_.read()) + fleet_metrics(fleet(), lease_.holds());
  }
  std::uint64_t subscribe(std::function<void(const NodeEvent&)> watcher) override {
    return events_.subscribe(std::move(watcher));
  }
  void unsubscribe(std::uint64_t id) override { events_.unsubscribe(id); }

  storage::NodeLife self() const override { return self_; }
  const NodeSettings& settings() const override { return settings_; }
  const Registry& registry() const override { return registry_; }
  std::string public_key_pem() const override { return signer_->public_key_pem(); }
  IdSource& ids() override { return ids_; }
  bool stop(Millis deadline) override;

 private:
  Result<void> open_store();
  Result<void> open_keys();
  Result<SecretBox> open_box() const;
  Result<void> begin(storage::Writer& writer);
  Result<void> start_world();
  Result<ClerkParts> clerk_parts(std::unique_ptr<storage::Writer> writer);
  void put_doc(storage::DocOp doc, std::function<void(Result<storage::DocResult>)> answer,
               std::function<void()> apply);
  void put_queue(const QueueView& view, std::function<void(Result<void>)> answer);
  void fill_cast();
  RegistrarParts registrar_parts();
  void watch_threads();
  struct Drained {
    bool runs = false, deliveries = false;
  };
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
  IdSource ids_;
  Steering steering_;
  std::optional<DataDir> data_dir_;
  std::unique_ptr<storage::Store> store_;
  storage::NodeLife self_;
  Millis born_{0};
  Instant born_at_;
  Lease lease_{system_clock()};
  std::optional<Roles> roles_;
  std::optional<ReceiptSigner> signer_;
  std::unique_ptr<SecretShelf> secrets_;
  std::shared_ptr<EndpointShelf> endpoints_;

  Figures figures_;
  EventHub events_;
  PoolBoard pool_board_;
  BusyBoard busy_board_;
  FleetBoard fleet_board_;
  std::unique_ptr<ReaderPool> readers_;
  std::unique_ptr<World> world_;
  std::shared_ptr<Cast> cast_;
  std::unique_ptr<Troupe> troupe_;
  std::unique_ptr<HintListener> listener_;
  std::mutex counts_mutex_;
  std::unique_ptr<storage::Reader> counts_reader_;
  std::atomic<std::uint64_t> submitting_{0};
  std::atomic<bool> stopping_{false};
  bool is_held_ = false;  // the node was stopped and a run did not end
  int threads_ = 2;
};

}  // namespace quell
