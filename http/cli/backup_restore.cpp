// Bringing a backup back, and trying whether that would work.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "actors/writes/kept_until.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/backup_parts.hpp"
#include "http/cli/exit_codes.hpp"
#include "http/server/version.hpp"
#include "storage/backup/restore.hpp"
#include "storage/backup/secrets.hpp"

namespace quell::cli {

namespace {

std::vector<std::string> values_of(const Arguments& args, std::string_view name) {
  const auto found = args.options.find(name);
  return found == args.options.end() ? std::vector<std::string>() : found->second;
}

Result<storage::RestoreRequest> request_for(const Arguments& args, const SettingValues& settings,
                                            const std::string& path) {
  storage::RestoreRequest request;
  request.path = path;
  request.url = settings.store;
  request.open.data_dir = settings.data_dir;
  request.open.unsafe = settings.unsafe;
  request.deletions = values_of(args, "deletions");
  request.max_lost = settings.max_lost;
  request.progress = progress_line(args);
  storage::RestoreTerms& terms = request.terms;
  terms.now = system_clock().now();
  terms.cancelled_expires = kept_until(settings, JobState::cancelled, terms.now);
  for (const auto& queue : settings.queues) terms.queues.push_back(queue.name);
  terms.who = who_at_prompt();
  return request;
}

// The secrets come along only with the passphrase; that they stay out must be said.
Result<void> open_wrapping(const Arguments& args, const SettingValues& settings,
                           storage::RestoreRequest& request) {
  const auto reader = storage::BackupReader::open(request.path);
  if (!reader) return reader.error();
  const bool wrapped = reader->head().secrets == storage::BackupSecrets::wrapped;
  const auto passphrase = passphrase_of(args, wrapped);
  if (!passphrase) return passphrase.error();
  if (!wrapped || passphrase->empty()) return {};
  auto box = storage::wrapping_of(reader->head(), *passphrase);
  if (!box) return box.error();
  request.terms.wrapping.emplace(std::move(*box));
  auto key = store_key(settings, true);
  if (!key) return key.error();
  request.terms.store_key = std::move(*key);
  return {};
}

Json counts_of(const storage::RestoreCounts& counts) {
  return Json{{"jobs", counts.jobs},
              {"stay_deleted", counts.stay_deleted},
              {"cancelled", counts.cancelled},
              {"tombstones", counts.tombs},
              {"queues_paused", counts.queues}};
}

// ---- drill ----
// A directory of its own, gone at the end.
class Beside {
 public:
  Beside() {
    const char* temporary = std::getenv("TMPDIR");
    std::string path =
        std::string(temporary != nullptr ? temporary : "/tmp") + "/quell-drill-XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  ~Beside() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int tell_drill(const Arguments& args, const storage::Drill& drill) {
  Json object = head_json(drill.head);
  object.update(counts_of(drill.counts));
  object["rows"] = drill.rows;
  Json differences = Json::array();
  for (const storage::Difference& one : drill.differences)
    differences.push_back({{"table", one.table}, {"expected", one.expected}, {"found", one.found}});
  object["differences"] = differences;
  show_object(args, object);
  if (drill.differences.empty()) {
    if (!args.has("quiet")) std::cerr << "No difference: this backup can be restored.\n";
    return 0;
  }
  std::cerr << "The restored store differs; see `differences`.\n";
  return failed_exit;
}

// A fresh backup of the store, to be compared with the store itself at that moment.
Result<void> back_up(storage::BackupSource& live, const std::string& path, const Arguments& args) {
  IdSource ids(system_clock());
  storage::BackupRequest request;
  request.id = ids.next();
  request.path = path;
  request.product = http::version;
  request.progress = progress_line(args);
  const auto made = storage::make_backup(live, request, system_clock());
  return made ? Result<void>() : made.error();
}

}  // namespace

int backup_restore(const Arguments& args) {
  if (!args.has("store") && !args.has("data-dir"))
    return fail_with(ErrorCode::usage, "say which store with --store, or --data-dir");
  const auto settings = store_settings(args);
  if (!settings) return fail_backup(settings.error());
  std::error_code fault;
  std::filesystem::create_directories(settings->values.data_dir, fault);
  auto request = request_for(args, settings->values, args.words.at(0));
  if (!request) return fail_backup(request.error());
  if (auto opened = open_wrapping(args, settings->values, *request); !opened)
    return fail_backup(opened.error());
  const auto restored = storage::restore_backup(*request);
  end_progress_line(args);
  if (!restored) return fail_backup(restored.error());
  Json object = head_json(restored->head);
  if (restored->went_on)
    object["went_on"] = true;
  else
    object.update(counts_of(restored->counts));
  show_object(args, object);
  if (args.has("quiet")) return 0;
  std::cerr << "Restored. Every queue is paused: look at it, then quell queue resume NAME.\n";
  if (restored->head.secrets == storage::BackupSecrets::left_out || !request->terms.wrapping)
    std::cerr << "Secrets were left out: set them again, and rotate those of webhooks.\n";
  return 0;
}

int backup_drill(const Arguments& args) {
  const Beside beside;
  if (beside.path().empty())
    return fail_with(ErrorCode::store_unavailable, "no temporary directory");
  const auto settings = store_settings(args);
  if (!settings) return fail_backup(settings.error());
  std::unique_ptr<storage::BackupSource> live;
  std::string path = beside.path() + "/drill.backup";
  if (!args.words.empty()) {
    path = args.words.front();
  } else {
    auto source = storage::open_backup_source(settings->values.store, settings->values.data_dir);
    if (!source) return fail_backup(source.error());
    live = std::move(*source);
    if (auto made = back_up(*live, path, args); !made) return fail_backup(made.error());
  }
  auto request = request_for(args, settings->values, path);
  if (!request) return fail_backup(request.error());
  request->url = args.get("beside", "sqlite:" + beside.path() + "/quell.db");
  request->open.data_dir = beside.path();
  const auto drill = storage::drill_backup(*request, live.get());
  end_progress_line(args);
  if (!drill) return fail_backup(drill.error());
  return tell_drill(args, *drill);
}

}  // namespace quell::cli
