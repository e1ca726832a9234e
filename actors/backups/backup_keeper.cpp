#include "actors/backups/backup_keeper.hpp"

#include <sys/stat.h>

#include <caf/all.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "actors/backups/backup_messages.hpp"
#include "actors/backups/running_backup.hpp"
#include "actors/control_actor.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/roles.hpp"
#include "actors/send.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/policy/backup_rotation.hpp"
#include "runtime/signing/passphrase_box.hpp"
#include "storage/backup/catalog.hpp"

namespace quell {

namespace {

using nlohmann::json;

std::int64_t count_of_millis(Instant at) {
  return at.time_since_epoch().count();
}

// Everything that the thread needs; it must not touch the actor.
struct BackupWork {
  const NodeSettings* settings;
  Clock* clock;
  std::shared_ptr<BackupState> state;
  std::optional<SecretBox> store_key;
  Uuid id;
  bool by_hand = false;
};

BackupEnded failed_with(const BackupWork& work, Error error) {
  return {work.id, std::move(error), {}, {}};
}

BackupEnded make_one(const BackupWork& work) {
  const NodeSettings& settings = *work.settings;
  std::error_code fault;
  if (std::filesystem::create_directories(settings.backup_dir, fault))
    ::chmod(settings.backup_dir.c_str(), 0700);
  if (fault)
    return failed_with(
        work, {ErrorCode::store_unavailable, settings.backup_dir + ": " + fault.message()});
  storage::BackupRequest request;
  request.id = work.id;
  request.product = settings.version;
  request.store_key = work.store_key;
  if (!settings.backup_passphrase_file.empty()) {
    auto passphrase = read_passphrase(settings.backup_passphrase_file);
    if (!passphrase) return failed_with(work, passphrase.error());
    request.passphrase = std::move(*passphrase);
  }
  request.progress = [&](const storage::BackupProgress& progress) {
    work.state->step(progress.table, progress.rows, progress.done);
    return !work.state->leave.load(std::memory_order_relaxed);
  };
  const std::string name = storage::backup_name(work.clock->now(), work.id, work.by_hand);
  request.path = settings.backup_dir + "/" + name;
  auto source = storage::open_backup_source(settings.store, settings.data_dir);
  if (!source) return failed_with(work, source.error());
  BackupEnded ended{work.id, storage::make_backup(**source, request, *work.clock), name, {}};
  if (!ended.made) return ended;
  source->reset();
  const BackupKeep keep{settings.backup_keep_hourly, settings.backup_keep_daily,
                        settings.backup_keep_weekly};
  auto removed = storage::rotate_backups(settings.backup_dir, keep);
  if (removed) ended.removed = std::move(*removed);
  return ended;
}

class BackupKeeper : public ControlActor {
 public:
  BackupKeeper(caf::actor_config& config, const ControlSeat& seat,
               std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat),
        context_(std::move(context)),
        state_(context_->backup_state ? context_->backup_state : std::make_shared<BackupState>()) {}

  caf::behavior make_behavior() override {
    if (has_timetable()) look_later();
    return {
        [this](LookForBackup) { look(); },
        [this](MakeBackup& asked) { by_person(asked); },
        [this](const BackupsKnown& known) { consider(known); },
        [this](BackupEnded& ended) { close(ended); },
    };
  }

  void on_exit() override {
    if (timer_) context_->timers->cancel(*timer_);
    state_->leave = true;
    if (thread_.joinable()) thread_.join();
    context_.reset();
  }

 private:
  struct Asked {
    Uuid id;
    std::string who;
  };

  bool has_timetable() const {
    return !context_->settings->backup_dir.empty() && context_->settings->backup_every > Millis{0};
  }

  void look_later() {
    timer_ = context_->timers->after(context_->settings->poll,
                                     [self = weak(this)] { tell(self, LookForBackup{}); });
  }

  // The document is read only when one may be due: between two the answer is known.
  void look() {
    look_later();
    if (thread_.joinable() || !context_->roles->leads(Role::timekeeper)) return;
    if (due_ && context_->clock->now() < *due_) return;
    context_->readers->run([self = weak(this)](storage::Reader& reader) {
      tell(self, BackupsKnown{reader.doc(backup_kind, last_backup),
                              reader.doc(backup_kind, failed_backup)});
    });
  }

  static std::optional<Instant> moment_in(const Result<std::optional<storage::Doc>>& doc) {
    if (!doc || !*doc) return std::nullopt;
    const json body = json_of_ours((*doc)->body);
    if (!body.is_object() || !body.contains("at")) return std::nullopt;
    return Instant{Millis{body.value("at", std::int64_t{0})}};
  }

  void consider(const BackupsKnown& known) {
    if (!known.last || !known.failed || thread_.joinable()) return;
    const Instant now = context_->clock->now();
    const Instant due = next_backup(moment_in(known.last), moment_in(known.failed),
                                    context_->settings->backup_every, now);
    due_ = due;
    if (now < due || !context_->roles->leads(Role::timekeeper)) return;
    begin("timetable", false);
  }

  void by_person(MakeBackup& asked) {
    if (context_->settings->backup_dir.empty())
      return asked.answer(
          Error{ErrorCode::resource_not_found, "this server has no backup_dir: give it one"});
    if (!thread_.joinable()) return asked.answer(begin(asked.who, true));
    // What runs may be of a moment before what this person has just done, and its file rotates.
    if (!next_) next_ = Asked{context_->ids->next(), asked.who};
    asked.answer(next_->id);
  }

  Uuid begin(const std::string& who, bool by_hand) {
    return begin({context_->ids->next(), who}, by_hand);
  }

  Uuid begin(const Asked& asked, bool by_hand) {
    const std::string& who = asked.who;
    BackupWork work{context_->settings, context_->clock, state_, {}, asked.id, by_hand};
    if (context_->store_key != nullptr) work.store_key = *context_->store_key;
    who_ = who;
    began_ = context_->clock->now();
    state_->begin(work.id, began_);
    const Uuid id = work.id;
    thread_ = std::thread([self = weak(this), work = std::move(work), fatal = context_->fatal] {
      guarded(*fatal, ControlPlace::backup_thread, [&] { tell(self, make_one(work)); });
    });
    return id;
  }

  void close(BackupEnded& ended) {
    thread_.join();
    state_->end();
    due_.reset();
    if (state_->leave) return;
    const Instant now = context_->clock->now();
    json said = ended.made ? told(ended) : json{{"error", to_string(ended.made.error())}};
    said["backup_id"] = ended.id.text();
    said["at"] = count_of_millis(ended.made ? ended.made->head.moment : now);
    said["ended"] = count_of_millis(now);
    said["node"] = context_->self.node.text();
    count(ended, now);
    const char* what = ended.made ? "backup.created" : "backup.failed";
    const std::string data = said.dump(-1, ' ', false, json::error_handler_t::replace);
    auto ops = std::make_shared<storage::Batch>();
    storage::DocOp& doc = ops->docs.emplace_back();
    doc.kind = backup_kind;
    doc.id = ended.made ? last_backup : failed_backup;
    doc.body = data;
    ops->audits.push_back({now, who_, what, ended.id.text(), data});
    tell(context_->clerk, WriteOps{std::move(ops), {}});
    context_->events->tell({.type = what, .data = data, .at = now});
    if (const auto next = std::exchange(next_, std::nullopt)) begin(*next, true);
  }

  static json told(const BackupEnded& ended) {
    const storage::TableSums& sums = ended.made->sums;
    return {{"name", ended.name},
            {"bytes", ended.made->bytes},
            {"digest", ended.made->digest},
            {"jobs", sums[static_cast<std::size_t>(storage::BackupTableId::job)].rows},
            {"removed", ended.removed}};
  }

  void count(const BackupEnded& ended, Instant now) {
    Metrics& metrics = *context_->metrics;
    if (!ended.made) {
      ++metrics.backups_failed;
      return;
    }
    ++metrics.backups_made;
    metrics.backup_last_ms = static_cast<std::uint64_t>(count_of_millis(ended.made->head.moment));
    metrics.backup_bytes = ended.made->bytes;
    metrics.backup_took_ms = static_cast<std::uint64_t>((now - began_).count());
  }

  std::shared_ptr<NodeContext> context_;
  std::shared_ptr<BackupState> state_;
  std::optional<Timers::Id> timer_;
  std::optional<Instant> due_;
  std::optional<Asked> next_;  // by a person, while one is made
  std::thread thread_;
  std::string who_;
  Instant began_;
};

}  // namespace

caf::actor spawn_backup_keeper(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<BackupKeeper>(system, ControlPlace::backups, *context, context);
}

}  // namespace quell
