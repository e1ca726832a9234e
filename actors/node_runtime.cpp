// A node's start and end; what it is asked in between is in node_calls.cpp.
#include "actors/node_runtime.hpp"

#include <algorithm>
#include <cstdlib>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/endpoint_shelf.hpp"
#include "runtime/base64.hpp"
#include "runtime/digest.hpp"
#include "runtime/lease_ladder.hpp"

namespace quell {

namespace {

constexpr Millis earlier_keeper_deadline{30'000}, goodbye_deadline{2'000};
constexpr int exit_of_held = 70;
constexpr Millis watch_period{500}, busy_warning{1'000}, look_at_drain{50};

SecretBox::Key random_key() {
  SecretBox::Key key{};
  fill_random(key);
  return key;
}

}  // namespace

// A run that never ended still uses what its members are: to go on would be a crash later.
NodeRuntime::~NodeRuntime() {
  stop(Millis{0});
  if (!is_held_) return;
  say(LogLevel::error, "a run did not end and the node is being destroyed: the process ends here");
  std::_Exit(exit_of_held);
}

Result<void> NodeRuntime::start() {
  if (auto opened = open_store(); !opened) return opened;
  auto writer = store_->open_writer();
  if (!writer) return writer.error();
  auto counts = store_->open_reader();
  if (!counts) return counts.error();
  counts_reader_ = std::move(counts).value();
  endpoints_ = std::make_shared<EndpointShelf>(secrets_->box());
  if (auto known = endpoints_->load(*counts_reader_); !known) return known;
  if (auto begun = begin(**writer); !begun) return begun;
  auto readers = ReaderPool::open(*store_, std::max(1, settings_.read_threads));
  if (!readers) return readers.error();
  readers_ = std::move(readers).value();
  if (auto loaded = steering_.load(*counts_reader_); !loaded) return loaded;
  settings_.pools = steering_.pools();
  if (auto known = secrets_->load(*counts_reader_); !known) {
    // In a fleet it may be another node's secret under another key: jobs that need it are refused.
    if (!store_->shared()) return known;
    say(LogLevel::warning, to_string(known.error()));
  }
  if (auto world = start_world(); !world) return world;
  auto parts = clerk_parts(std::move(writer).value());
  if (!parts) return parts.error();
  fill_cast();
  threads_ = settings_.job_threads > 0
                 ? settings_.job_threads
                 : std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
  troupe_ = std::make_unique<Troupe>(cast_, std::move(parts).value(), registrar_parts(), threads_);
  auto hints = store_->open_hints();
  if (!hints) return hints.error();
  listener_ = std::make_unique<HintListener>(
      std::move(hints).value(),
      [this](std::vector<std::string> names) { troupe_->hear(std::move(names)); });
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
  if (store_->shared()) {
    const std::string_view fault = fault_of(
        LeaseTimes{settings_.beat, settings_.lease, settings_.self_stop, settings_.stop_deadline});
    if (!fault.empty()) return Error{ErrorCode::usage, std::string(fault)};
  }
  roles_.emplace(lease_, !store_->shared());
  return open_keys();
}

Result<SecretBox> NodeRuntime::open_box() const {
  if (settings_.secret_key.empty()) return SecretBox::open_file(settings_.data_dir + "/secret.key");
  const auto bytes = from_base64(settings_.secret_key);
  SecretBox::Key key{};
  if (!bytes || bytes->size() != key.size())
    return Error{ErrorCode::usage, "secret_key is not the base64 of 32 bytes"};
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return SecretBox(key);
}

Result<void> NodeRuntime::open_keys() {
  if (!data_dir_) {  // nothing to keep them in: they live as long as the node
    signer_.emplace(ReceiptSigner::make());
    secrets_ = std::make_unique<SecretShelf>(SecretBox(random_key()));
    return {};
  }
  auto box = open_box();
  if (!box) return box.error();
  secrets_ = std::make_unique<SecretShelf>(std::move(box).value());
  auto signer = ReceiptSigner::open(settings_.data_dir + "/receipt.key");
  if (!signer) return signer.error();
  signer_.emplace(std::move(signer).value());
  return {};
}

Result<void> NodeRuntime::begin(storage::Writer& writer) {
  NodeId id = ids_.next();
  if (data_dir_) {
    auto known = data_dir_->node_id(ids_);
    if (!known) return known.error();
    id = *known;
  }
  born_ = system_clock().monotonic();
  born_at_ = system_clock().now();
  auto life =
      begin_life(writer, id, settings_, endpoints_->subscriptions(), ids_, system_clock().now());
  if (!life) return life.error();
  self_ = life->self;
  const storage::BuryResult& left = life->recovered;
  if (left.requeued + left.failed + left.cancelled > 0 || !left.erased.empty())
    say(LogLevel::warning, "recovered what an earlier life had left",
        "\"requeued\":" + std::to_string(left.requeued) +
            ",\"failed\":" + std::to_string(left.failed) +
            ",\"deletes_finished\":" + std::to_string(left.erased.size()));
  return {};
}

Result<void> NodeRuntime::start_world() {
  auto world =
      World::open(settings_, keeper_.get(), lease_, figures_,
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
  parts.writers.push_back(std::move(writer));
  while (std::ssize(parts.writers) < store_->writers_wanted()) {
    auto another = store_->open_writer();
    if (!another) return another.error();
    parts.writers.push_back(std::move(another).value());
  }
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

RegistrarParts NodeRuntime::registrar_parts() {
  RegistrarParts parts;
  parts.lease = &lease_;
  parts.roles = &*roles_;
  parts.steering = &steering_;
  parts.secrets = secrets_.get();
  parts.shared_store = store_->shared();
  parts.born = born_;
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
  cast_->fleet = &fleet_board_;
  cast_->lease = &lease_;
  cast_->roles = &*roles_;
  cast_->ids = &ids_;
  cast_->self = self_;
  for (const auto& [name, capacity] : settings_.pools) {
    PoolView view;
    view.name = name;
    view.capacity = view.free = capacity;
    pool_board_.write(std::move(view));
  }
  cast_->endpoints = endpoints_;
  cast_->shared_store = store_->shared();
  cast_->durability = store_->durability();
  cast_->sign = [this](const std::string& payload) { return signer_->sign(payload).dump(); };
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

bool NodeRuntime::nothing_runs() const {
  return figures_.runs == 0;
}

// The words come through the store. With the lease over it is no longer this node's to write to,
// and what it would have handed over others take: then it is enough that nothing runs.
bool NodeRuntime::comes_until(std::chrono::steady_clock::time_point end,
                              const std::future<void>& word) const {
  while (word.wait_for(look_at_drain) != std::future_status::ready) {
    if (std::chrono::steady_clock::now() >= end) return false;
    if (!lease_.holds() && nothing_runs()) return false;
  }
  return true;
}

// Deliveries have the same time, but one that waits for a slow store holds nothing of ours that its
// actor does not own.
NodeRuntime::Drained NodeRuntime::drained_within(Millis deadline, bool at_once) {
  auto runs = std::make_shared<std::promise<void>>();
  auto deliveries = std::make_shared<std::promise<void>>();
  auto runs_over = runs->get_future(), deliveries_over = deliveries->get_future();
  troupe_->drain(
      at_once, [runs] { runs->set_value(); }, [deliveries] { deliveries->set_value(); });
  const auto end = std::chrono::steady_clock::now() + deadline;
  Drained drained;
  drained.runs = comes_until(end, runs_over);
  drained.deliveries = comes_until(end, deliveries_over);
  return drained;
}

void NodeRuntime::say_goodbye() {
  auto over = std::make_shared<std::promise<void>>();
  auto done = over->get_future();
  troupe_->say_goodbye([over] { over->set_value(); });
  done.wait_for(goodbye_deadline);
}

bool NodeRuntime::stop(Millis deadline) {
  if (stopping_.exchange(true)) return true;
  bool over = true;
  listener_.reset();
  if (troupe_) {
    Drained drained;
    if (deadline > Millis{0}) drained = drained_within(deadline, false);
    if (!drained.runs || !drained.deliveries)
      drained = drained_within(settings_.stop_deadline + Millis{1'000}, true);
    // A store that is slow still owes the word, but not the fact.
    over = drained.runs || nothing_runs();
    // A timer that fires now would speak to actors that are leaving.
    if (over) say_goodbye();
    if (over) world_->stop_timers();
    troupe_->dismiss(over);
  }
  if (world_) world_->stop();
  is_held_ = !over;  // a run still uses what would be taken down here
  if (is_held_) return false;
  readers_.reset();
  world_.reset();
  cast_.reset();
  return true;
}

Result<std::unique_ptr<Node>> start_node(NodeSettings settings, Registry registry,
                                         std::shared_ptr<Keeper> keeper) {
  auto node =
      std::make_unique<NodeRuntime>(std::move(settings), std::move(registry), std::move(keeper));
  if (auto started = node->start(); !started) return started.error();
  return std::unique_ptr<Node>(std::move(node));
}

}  // namespace quell
