// A node's start and end; what it is asked in between is in node_calls.cpp.
#include "actors/node/node_runtime.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/node/control_actors.hpp"
#include "actors/webhooks/endpoint_registry.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/policy/lease_ladder.hpp"

namespace quell {

namespace {

constexpr Millis earlier_keeper_deadline{30'000}, goodbye_deadline{2'000};
constexpr Millis store_patience{2'000};
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
  say(LogLevel::error, std::string(left_commit_ ? "a commit" : "a run") +
                           " did not end and the node is being destroyed: the process ends here");
  std::_Exit(own_fault_exit);
}

Result<void> NodeRuntime::start() {
  if (auto opened = open_store(); !opened) return opened;
  auto writer = open_first_writer();
  if (!writer) return writer.error();
  auto counts = store_->open_reader();
  if (!counts) return counts.error();
  counts_reader_ = std::move(counts).value();
  endpoints_ = std::make_shared<EndpointRegistry>(secrets_->box());
  if (auto known = endpoints_->load(*counts_reader_); !known) return known;
  if (auto begun = begin(**writer); !begun) return begun;
  auto readers = ReaderPool::open(*store_, std::max(1, settings_.read_threads), fatal_);
  if (!readers) return readers.error();
  readers_ = std::move(readers).value();
  if (auto loaded = steering_.load(*counts_reader_); !loaded) return loaded;
  if (auto loaded = freeze_.load(*counts_reader_); !loaded) return loaded;
  settings_.pools = steering_.pools();
  if (auto known = secrets_->load(*counts_reader_); !known) {
    // In a fleet it may be another node's secret under another key: jobs that need it are refused.
    if (!store_->shared()) return known;
    say(LogLevel::warning, to_string(known.error()));
  }
  if (auto effect_host = start_effect_host(); !effect_host) return effect_host;
  auto parts = clerk_parts(*store_, std::move(writer).value(), store_->writers_wanted(), steering_);
  if (!parts) return parts.error();
  fill_cast();
  threads_ = settings_.job_threads > 0
                 ? settings_.job_threads
                 : std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
  auto hints = store_->open_hints();
  if (!hints) return hints.error();
  fleet_news_ = std::make_unique<FleetNews>(context_, *hints != nullptr);
  context_->tells_news = [this] { return fleet_news_->tells(); };
  actor_group_ =
      std::make_unique<ActorGroup>(context_, std::move(parts).value(), registrar_parts(), threads_);
  listener_ = std::make_unique<HintListener>(
      std::move(hints).value(),
      [this](std::vector<std::string> hints_heard) {
        auto names = fleet_news_->hear(std::move(hints_heard));
        if (!names.empty()) actor_group_->hear(std::move(names));
      },
      fatal_);
  watch_threads();
  return {};
}

Result<void> NodeRuntime::open_store() {
  settings_.store = store_address(settings_);
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
  if (data_dir_) options.acknowledged = acknowledged_ = data_dir_->acknowledged();
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
  const auto bytes = from_base64(settings_.secret_key.reveal());
  SecretBox::Key key{};
  if (!bytes || bytes->size() != key.size())
    return Error{ErrorCode::usage, "secret_key is not the base64 of 32 bytes"};
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return SecretBox(key);
}

Result<void> NodeRuntime::open_keys() {
  if (!data_dir_) {  // nothing to keep them in: they live as long as the node
    signer_.emplace(ReceiptSigner::make());
    secrets_ = std::make_unique<SecretRegistry>(SecretBox(random_key()));
    return {};
  }
  auto box = open_box();
  if (!box) return box.error();
  secrets_ = std::make_unique<SecretRegistry>(std::move(box).value());
  auto signer = ReceiptSigner::open(settings_.data_dir + "/receipt.key");
  if (!signer) return signer.error();
  signer_.emplace(std::move(signer).value());
  return {};
}

Result<void> NodeRuntime::begin(storage::Writer& writer) {
  born_ = system_clock().monotonic();
  born_at_ = system_clock().now();
  const bool in_doubt = keeper_ && keeper_->earlier_is_in_doubt();
  const auto begun = [&](NodeId id, const Births& births) {
    return begin_life(writer, id, settings_, endpoints_->subscriptions(), ids_,
                      system_clock().now(), births,
                      in_doubt ? Verdict::lease_expired : Verdict::process_died);
  };
  if (!data_dir_) {
    auto life = begun(ids_.next(), {});
    if (life) self_ = life->self;
    return life ? Result<void>() : Result<void>(life.error());
  }
  auto id = data_dir_->node_id(ids_);
  if (!id) return id.error();
  auto births = data_dir_->begin_birth(ids_);
  if (!births) return births.error();
  auto life = begun(*id, *births);
  if (life && life->self.life == 0) life = begin_as_another(writer, *id, *births);
  if (!life) return life.error();
  if (in_doubt) {
    keeper_->doubt_is_told();
    say(LogLevel::warning,
        "the keeper of an earlier life was killed and a guard with it: its runs are not proven "
        "dead");
  }
  if (auto kept = data_dir_->keep_only(births->current); !kept) return kept;
  self_ = life->self;
  tell_recovered(life->recovered);
  return {};
}

// This directory is a copy, or was moved: whoever had its node last was not one of its own starts,
// and may live. It is left to its lease; here a new node begins.
Result<BegunLife> NodeRuntime::begin_as_another(storage::Writer& writer, NodeId other,
                                                const Births& births) {
  const auto id = data_dir_->new_node_id(ids_);
  if (!id) return id.error();
  say(LogLevel::warning,
      "the node of this data directory was last started from another place, so its process may "
      "live: this is a new node, and what the other held is taken when its lease is over",
      "\"worker_id\":\"" + id->text() + "\",\"other\":\"" + other.text() + "\"");
  auto life = begin_life(writer, *id, settings_, endpoints_->subscriptions(), ids_,
                         system_clock().now(), births);
  if (!life || store_->shared()) return life;
  auto recovery = recover_unproven(writer, other, settings_, endpoints_->subscriptions(), ids_,
                                   system_clock().now());
  if (!recovery) return recovery.error();
  life->recovered = std::move(recovery).value();
  return life;
}

void NodeRuntime::tell_recovered(const storage::RecoverResult& left) const {
  if (left.requeued + left.failed + left.cancelled > 0 || !left.erased.empty())
    say(LogLevel::warning, "recovered what an earlier life had left",
        "\"requeued\":" + std::to_string(left.requeued) +
            ",\"failed\":" + std::to_string(left.failed) +
            ",\"deletes_finished\":" + std::to_string(left.erased.size()));
}

Result<void> NodeRuntime::start_effect_host() {
  auto effect_host = EffectHost::open(
      settings_, keeper_.get(), [this] { keeper_died(); }, fatal_, lease_, metrics_,
      [registry = secrets_.get()](const std::string& name, const std::string& project,
                                  const OutboundUrl& url) {
        return registry->find(name, project, url);
      });
  if (!effect_host) return effect_host.error();
  effect_host_ = std::move(effect_host).value();
  return {};
}

// What its programs do now nobody here can say: nothing may start beside them, and no delete of
// them be told as proven. The guards end them; the next life waits for that, and hunts.
void NodeRuntime::keeper_died() {
  lease_.end();
  say(LogLevel::error, "the keeper of programs has died: the process ends now");
  leave_process();
}

void NodeRuntime::leave_process() {
  if (settings_.leave) return settings_.leave();
  ::_exit(lease_lost_exit);
}

// Crash only: to restart one part beside living neighbours would be a state that nothing has
// proven, and the next start is one that the crash runs have.
void NodeRuntime::fall(const FatalFault& fault) {
  lease_.end();  // nothing starts any more, also where whoever embeds the node lets it stand
  say(LogLevel::error, sentence_of(fault),
      "\"place\":\"" + fault.place + "\",\"at\":\"" + fault.at + "\"");
  if (settings_.on_fatal) return settings_.on_fatal(fault);
  ::_exit(own_fault_exit);
}

RegistrarParts NodeRuntime::registrar_parts() {
  RegistrarParts parts;
  parts.lease = &lease_;
  parts.roles = &*roles_;
  parts.steering = &steering_;
  parts.secrets = secrets_.get();
  parts.freeze = &freeze_;
  parts.born = born_;
  return parts;
}

void NodeRuntime::fill_cast() {
  context_ = std::make_shared<NodeContext>();
  context_->settings = &settings_;
  if (!settings_.protected_queues.empty() || !settings_.protected_tags.empty())
    context_->protection = std::make_shared<Protection>(
        Protection{settings_.protected_queues, settings_.protected_tags});
  context_->registry = &registry_;
  context_->fatal = fatal_;
  context_->clock = &system_clock();
  context_->timers = &effect_host_->timers();
  context_->effects = &effect_host_->effects();
  context_->readers = readers_.get();
  context_->events = &events_;
  context_->metrics = &metrics_;
  context_->pools = &pool_snapshot_;
  context_->busy = &busy_snapshot_;
  context_->fleet = &fleet_snapshot_;
  context_->lease = &lease_;
  context_->roles = &*roles_;
  context_->ids = &ids_;
  context_->self = self_;
  context_->endpoints = endpoints_;
  context_->store_key = &secrets_->box();
  context_->backup_state = backup_state_;
  context_->shared_store = store_->shared();
  context_->at_best = [store = store_.get()] { return store->at_best(); };
  context_->deletion_rules = [this] { return deletion_rules(); };
  context_->look_for_spikes = [this](const std::string& project, const DeleteReport& report) {
    look_for_spikes(project, report);
  };
  context_->doubt_history = [this](const std::string& why) { doubt_history(why); };
  context_->deletion_rules = [this] { return deletion_rules(); };
  context_->queue_is_closed = [this](const std::string& queue) { return steering_.closed(queue); };
  context_->sign = [this](const std::string& payload) { return signer_->sign(payload).dump(); };
}

void NodeRuntime::watch_threads() {
  const auto busy = busy_snapshot_.busy_since(effect_host_->timers().now() - busy_warning);
  for (const auto& note : busy)
    if (effect_host_->timers().now() - note.since < busy_warning + watch_period)
      say(LogLevel::warning,
          "a job holds a scheduler thread without a pause: its kind should await, or use offload",
          "\"job_id\":\"" + note.job.text() + "\",\"kind\":\"" + note.kind + "\"");
  metrics_.blocked_threads = busy.size();
  keep_acknowledged();
  effect_host_->timers().after(watch_period, [this] {
    if (!stopping_) watch_threads();
  });
}

// A commit that waits for a standby may wait for ever. It must not be cancelled: then it would
// count without the standby.
bool NodeRuntime::store_is_silent() const {
  return metrics_.commits_open.oldest() > store_patience;
}

bool NodeRuntime::nothing_runs() const {
  return metrics_.runs == 0;
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
  actor_group_->drain(
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
  actor_group_->say_goodbye([over] { over->set_value(); });
  done.wait_for(goodbye_deadline);
}

bool NodeRuntime::stop(Millis deadline) {
  if (stopping_.exchange(true)) return true;
  bool over = true;
  listener_.reset();
  if (actor_group_) {
    Drained drained;
    if (deadline > Millis{0}) drained = drained_within(deadline, false);
    if (!drained.runs || !drained.deliveries)
      drained = drained_within(settings_.stop_deadline + Millis{1'000}, true);
    // A store that is slow still owes the word, but not the fact.
    over = drained.runs || nothing_runs();
    // A timer that fires now would speak to actors that are leaving.
    if (over) say_goodbye();
    if (over) effect_host_->stop_timers();
    // Its thread would be waited for as long as the store lets it wait.
    left_commit_ = over && store_is_silent();
    if (left_commit_) say(LogLevel::error, "a commit is left to the store, which has not answered");
    over = over && !left_commit_;
    actor_group_->dismiss(over);
  }
  if (effect_host_) effect_host_->stop();
  is_held_ = !over;  // a run, or a commit, still uses what would be taken down here
  if (is_held_) return false;
  keep_acknowledged();
  readers_.reset();
  effect_host_.reset();
  context_.reset();
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
