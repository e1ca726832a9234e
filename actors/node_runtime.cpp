// The Node as it is: a store, a cast of actors, the threads that serve them.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/busy_board.hpp"
#include "actors/data_dir.hpp"
#include "actors/effects/keeper.hpp"
#include "actors/endpoint_shelf.hpp"
#include "actors/node_metrics.hpp"
#include "actors/pool_board.hpp"
#include "actors/reader_pool.hpp"
#include "actors/secret_shelf.hpp"
#include "actors/send.hpp"
#include "actors/steering.hpp"
#include "actors/submission.hpp"
#include "actors/troupe.hpp"
#include "actors/world.hpp"
#include "runtime/digest.hpp"
#include "runtime/receipt_signer.hpp"

namespace quell {

namespace {

constexpr Millis earlier_keeper_deadline{30'000};
constexpr Millis watch_period{500}, busy_warning{1'000}, busy_alarm{10'000};

SecretBox::Key random_key() {
  SecretBox::Key key{};
  fill_random(key);
  return key;
}

class NodeRuntime final : public Node {
 public:
  NodeRuntime(NodeSettings settings, Registry registry, std::shared_ptr<Keeper> keeper)
      : settings_(std::move(settings)),
        registry_(std::move(registry)),
        keeper_(std::move(keeper)),
        ids_(system_clock()),
        steering_(settings_) {}

  ~NodeRuntime() override { stop(Millis{0}); }

  Result<void> start();

  void submit(std::vector<NewJob> jobs,
              std::function<void(Result<std::vector<storage::EnqueueResult>>)> answer) override;
  void erase(DeleteRequest request, std::function<void(Result<DeleteReport>)> answer) override {
    tell_first(cast_->deleter, EraseJobs{std::move(request), std::move(answer)});
  }
  void steer(storage::SteerOp op,
             std::function<void(Result<storage::SteerResult>)> answer) override;
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
                   std::function<void(Result<void>)> answer) override;
  void set_pool(const std::string& name, int capacity,
                std::function<void(Result<void>)> answer) override;
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
  Health health() override;
  std::string metrics() override { return runtime_metrics(figures_, pool_board_.read()); }
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
  Result<void> begin_life(storage::Writer& writer);
  Result<void> start_world();
  Result<ClerkParts> clerk_parts(std::unique_ptr<storage::Writer> writer);
  void put_queue(const QueueView& view, std::function<void(Result<void>)> answer);
  void fill_cast();
  void beat();
  void watch_threads();
  bool drained_within(Millis deadline, bool at_once);
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
  std::optional<ReceiptSigner> signer_;
  std::unique_ptr<SecretShelf> secrets_;

  Figures figures_;
  EventHub events_;
  PoolBoard pool_board_;
  BusyBoard busy_board_;
  std::unique_ptr<ReaderPool> readers_;
  std::unique_ptr<World> world_;
  std::shared_ptr<Cast> cast_;
  std::unique_ptr<Troupe> troupe_;
  std::mutex counts_mutex_;
  std::unique_ptr<storage::Reader> counts_reader_;
  std::atomic<std::uint64_t> submitting_{0};
  std::atomic<bool> stopping_{false};
  int threads_ = 2;
};

Result<void> NodeRuntime::start() {
  if (auto opened = open_store(); !opened) return opened;
  auto writer = store_->open_writer();
  if (!writer) return writer.error();
  if (auto begun = begin_life(**writer); !begun) return begun;
  auto readers = ReaderPool::open(*store_, std::max(1, settings_.read_threads));
  if (!readers) return readers.error();
  readers_ = std::move(readers).value();
  auto counts = store_->open_reader();
  if (!counts) return counts.error();
  counts_reader_ = std::move(counts).value();
  if (auto loaded = steering_.load(*counts_reader_); !loaded) return loaded;
  settings_.pools = steering_.pools();
  if (auto known = secrets_->load(*counts_reader_); !known) return known;
  if (auto world = start_world(); !world) return world;
  auto parts = clerk_parts(std::move(writer).value());
  if (!parts) return parts.error();
  fill_cast();
  threads_ = settings_.job_threads > 0
                 ? settings_.job_threads
                 : std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
  if (auto known = cast_->endpoints->load(*counts_reader_); !known) return known;
  troupe_ = std::make_unique<Troupe>(cast_, std::move(parts).value(), threads_);
  beat();
  watch_threads();
  return {};
}

Result<void> NodeRuntime::open_store() {
  if (!settings_.data_dir.empty()) {
    auto dir = DataDir::open(settings_.data_dir);
    if (!dir) return dir.error();
    data_dir_.emplace(std::move(dir).value());
    if (keeper_)
      if (auto free = await_earlier_keeper(settings_.data_dir, earlier_keeper_deadline); !free)
        return free;
  }
  storage::OpenOptions options;
  options.data_dir = settings_.data_dir;
  options.unsafe = settings_.unsafe;
  auto store = storage::open_store(settings_.store, options);
  if (!store) return store.error();
  store_ = std::move(store).value();
  return open_keys();
}

Result<void> NodeRuntime::open_keys() {
  if (!data_dir_) {  // nothing to keep them in: they live as long as the node
    signer_.emplace(ReceiptSigner::make());
    secrets_ = std::make_unique<SecretShelf>(SecretBox(random_key()));
    return {};
  }
  auto box = SecretBox::open_file(settings_.data_dir + "/secret.key");
  if (!box) return box.error();
  secrets_ = std::make_unique<SecretShelf>(std::move(box).value());
  auto signer = ReceiptSigner::open(settings_.data_dir + "/receipt.key");
  if (!signer) return signer.error();
  signer_.emplace(std::move(signer).value());
  return {};
}

// A new life: what earlier lives of this node held is theirs no more. Their process is proven dead
// by the two locks.
Result<void> NodeRuntime::begin_life(storage::Writer& writer) {
  NodeId id = ids_.next();
  if (data_dir_) {
    auto known = data_dir_->node_id(ids_);
    if (!known) return known.error();
    id = *known;
  }
  const Instant now = system_clock().now();
  storage::Batch start;
  start.starts.push_back({id, R"({"pid":)" + std::to_string(::getpid()) + "}", now});
  auto started = writer.apply(start);
  if (!started) return started.error();
  self_ = started->starts.front();

  storage::Batch bury;
  bury.burials.push_back({.node = id,
                          .below_life = self_.life,
                          .verdict = Verdict::process_died,
                          .now = now,
                          .max_lost = settings_.max_lost,
                          .failed_expires = now + settings_.keep_failed});
  auto buried = writer.apply(bury);
  if (!buried) return buried.error();
  const storage::BuryResult& result = buried->burials.front();
  if (result.requeued + result.failed + result.cancelled > 0 || !result.erased.empty())
    say(LogLevel::warning, "recovered what an earlier life had left",
        "\"requeued\":" + std::to_string(result.requeued) +
            ",\"failed\":" + std::to_string(result.failed) +
            ",\"deletes_finished\":" + std::to_string(result.erased.size()));
  return {};
}

Result<void> NodeRuntime::start_world() {
  auto world =
      World::open(settings_, keeper_.get(),
                  [shelf = secrets_.get()](const std::string& name, const std::string& project,
                                           const std::string& host) {
                    return shelf->find(name, project, host);
                  });
  if (!world) return world.error();
  world_ = std::move(world).value();
  return {};
}

Result<ClerkParts> NodeRuntime::clerk_parts(std::unique_ptr<storage::Writer> writer) {
  ClerkParts parts;
  parts.writer = std::move(writer);
  auto reader = store_->open_reader();
  if (!reader) return reader.error();
  parts.reader = std::move(reader).value();
  for (const QueueView& queue : steering_.queues()) {
    QueueSpec spec{.name = queue.name,
                   .pool = queue.pool,
                   .weight = static_cast<std::uint32_t>(steering_.weight(queue.name))};
    spec.paused = queue.paused;
    spec.closed = queue.closed;
    spec.limits = queue.limits;
    parts.queues.push_back(spec);
  }
  auto counts = parts.reader->counts("");
  if (!counts) return counts.error();
  for (const storage::CountRow& row : *counts)
    if (row.state == JobState::queued && row.n > 0) parts.ready.push_back(row.queue);
  parts.shared_store = store_->shared();
  return parts;
}

void NodeRuntime::fill_cast() {
  cast_ = std::make_shared<Cast>();
  cast_->settings = &settings_;
  cast_->registry = &registry_;
  cast_->clock = &system_clock();
  cast_->timers = &world_->timers();
  cast_->effects = &world_->effects();
  cast_->readers = readers_.get();
  cast_->events = &events_;
  cast_->figures = &figures_;
  cast_->pools = &pool_board_;
  cast_->busy = &busy_board_;
  cast_->ids = &ids_;
  cast_->self = self_;
  for (const auto& [name, capacity] : settings_.pools) {
    PoolView view;
    view.name = name;
    view.capacity = view.free = capacity;
    pool_board_.write(std::move(view));
  }
  cast_->endpoints = std::make_shared<EndpointShelf>(secrets_->box());
  cast_->shared_store = store_->shared();
  cast_->durability = store_->durability();
  cast_->sign = [this](const std::string& payload) { return signer_->sign(payload).dump(); };
}

void NodeRuntime::beat() {
  auto ops = std::make_shared<storage::Batch>();
  ops->beats.push_back({.owner = self_});
  tell(cast_->clerk, WriteOps{std::move(ops), {}});
  // Another node may have been given a secret: a failed look is made good by the next one.
  if (store_->shared())
    readers_->run([shelf = secrets_.get(), this](storage::Reader& reader) {
      if (auto loaded = shelf->load(reader); !loaded)
        say(LogLevel::warning, to_string(loaded.error()));
    });
  world_->timers().after(settings_.beat, [this] {
    if (!stopping_) beat();
  });
}

void NodeRuntime::watch_threads() {
  const auto busy = busy_board_.busy_since(world_->timers().now() - busy_warning);
  for (const auto& note : busy)
    if (world_->timers().now() - note.since < busy_warning + watch_period)
      say(LogLevel::warning,
          "a job holds a scheduler thread without a pause: its kind should await, or use offload",
          "\"job_id\":\"" + note.job.text() + "\",\"kind\":\"" + note.kind + "\"");
  figures_.blocked_threads = busy.size();
  world_->timers().after(watch_period, [this] {
    if (!stopping_) watch_threads();
  });
}

void NodeRuntime::submit(std::vector<NewJob> jobs,
                         std::function<void(Result<std::vector<storage::EnqueueResult>>)> answer) {
  for (const NewJob& job : jobs) {
    if (auto fine = registry_.check(job.kind, job.args); !fine) return answer(fine.error());
    if (steering_.closed(job.queue)) return answer(Error{ErrorCode::queue_closed, job.queue});
  }
  if (stopping_) return answer(Error{ErrorCode::draining});
  if (submitting_ + jobs.size() > settings_.clerk_queue)
    return answer(Error{ErrorCode::overloaded});
  if (jobs.empty()) return answer(std::vector<storage::EnqueueResult>{});
  submitting_ += jobs.size();
  const auto settled = [this](std::size_t count) { submitting_ -= count; };
  for (WriteOps& slice :
       Submission::slices(std::move(jobs), system_clock().now(), settled, std::move(answer)))
    tell(cast_->clerk, std::move(slice));
}

void NodeRuntime::steer(storage::SteerOp op,
                        std::function<void(Result<storage::SteerResult>)> answer) {
  if (op.event == JobEvent::cancel && !op.expires) op.expires = op.now + settings_.keep_cancelled;
  auto ops = std::make_shared<storage::Batch>();
  ops->steers.push_back(std::move(op));
  tell_first(cast_->clerk, WriteOps{std::move(ops),
                                    [answer = std::move(answer)](Result<storage::Outcome> outcome) {
                                      if (!outcome) return answer(outcome.error());
                                      answer(std::move(outcome->steers.front()));
                                    }});
}

void NodeRuntime::set_queue(const std::string& name, std::optional<bool> paused,
                            std::optional<bool> closed, std::function<void(Result<void>)> answer) {
  put_queue(steering_.change(name, paused, closed), std::move(answer));
}

void NodeRuntime::limit_queue(const std::string& name, const QueueLimits& limits,
                              std::function<void(Result<void>)> answer) {
  put_queue(steering_.limit(name, limits), std::move(answer));
}

void NodeRuntime::put_queue(const QueueView& view, std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(Steering::queue_doc(view));
  tell_first(cast_->clerk,
             SetQueue{view.name, view.pool, steering_.weight(view.name), view.paused, view.limits});
  tell_first(
      cast_->clerk,
      WriteOps{std::move(ops), [answer = std::move(answer)](Result<storage::Outcome> outcome) {
                 answer(outcome ? Result<void>() : Result<void>(outcome.error()));
               }});
}

void NodeRuntime::set_pool(const std::string& name, int capacity,
                           std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(Steering::pool_doc(name, capacity));
  tell(cast_->foreman, SetPool{name, capacity});
  tell_first(
      cast_->clerk,
      WriteOps{std::move(ops), [answer = std::move(answer)](Result<storage::Outcome> outcome) {
                 answer(outcome ? Result<void>() : Result<void>(outcome.error()));
               }});
}

void NodeRuntime::set_secret(SecretSetting secret, std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(secrets_->sealed(secret));
  auto stored = [this, secret = std::move(secret),
                 answer = std::move(answer)](Result<storage::Outcome> outcome) {
    if (!outcome) return answer(outcome.error());
    secrets_->put(secret);
    answer({});
  };
  tell(cast_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

void NodeRuntime::remove_secret(const std::string& project, const std::string& name,
                                std::function<void(Result<bool>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(SecretShelf::removal(project, name));
  auto removed = [this, project, name,
                  answer = std::move(answer)](Result<storage::Outcome> outcome) {
    if (!outcome) return answer(outcome.error());
    secrets_->remove(project, name);
    answer(outcome->docs.front().written);
  };
  tell(cast_->clerk, WriteOps{std::move(ops), std::move(removed)});
}

std::vector<PoolView> NodeRuntime::pools() {
  std::vector<PoolView> views = pool_board_.read();
  const std::lock_guard lock(counts_mutex_);
  const auto counts = counts_reader_->counts("");
  if (!counts) return views;
  std::map<std::string, std::string> pool_of;
  for (const QueueView& queue : steering_.queues()) pool_of[queue.name] = queue.pool;
  for (const storage::CountRow& row : *counts) {
    if (row.state != JobState::queued) continue;
    const auto known = pool_of.find(row.queue);
    const std::string& pool = known == pool_of.end() ? std::string("default") : known->second;
    for (PoolView& view : views)
      if (view.name == pool) view.waiting += row.n;
  }
  return views;
}

Health NodeRuntime::health() {
  Health health;
  const auto blocked = busy_board_.busy_since(world_->timers().now() - busy_alarm).size();
  const bool scheduler = blocked < static_cast<std::size_t>(threads_);
  bool store = false;
  {
    const std::lock_guard lock(counts_mutex_);
    store = counts_reader_->stats().ok();
  }
  health.checks.emplace_back("store", store ? "ok" : "the store does not answer");
  health.checks.emplace_back(
      "scheduler", scheduler ? "ok" : "every scheduler thread is held by a job for over 10 s");
  health.checks.emplace_back("draining", stopping_ ? "the node is shutting down" : "ok");
  health.ready = store && scheduler && !stopping_;
  return health;
}

bool NodeRuntime::drained_within(Millis deadline, bool at_once) {
  auto over = std::make_shared<std::promise<void>>();
  auto done = over->get_future();
  troupe_->drain(at_once, [over] { over->set_value(); });
  return done.wait_for(deadline) == std::future_status::ready;
}

bool NodeRuntime::stop(Millis deadline) {
  if (stopping_.exchange(true)) return true;
  bool over = true;
  if (troupe_) {
    over = deadline > Millis{0} && drained_within(deadline, false);
    if (!over) over = drained_within(settings_.stop_deadline + Millis{1'000}, true);
    // A timer that fires now would speak to actors that are leaving.
    if (over) world_->stop_timers();
    troupe_->dismiss(over);
  }
  if (world_) world_->stop();
  if (!over) return false;  // a run still uses what would be taken down here
  readers_.reset();
  world_.reset();
  cast_.reset();
  return true;
}

}  // namespace

Result<std::unique_ptr<Node>> start_node(NodeSettings settings, Registry registry,
                                         std::shared_ptr<Keeper> keeper) {
  auto node =
      std::make_unique<NodeRuntime>(std::move(settings), std::move(registry), std::move(keeper));
  if (auto started = node->start(); !started) return started.error();
  return std::unique_ptr<Node>(std::move(node));
}

}  // namespace quell
