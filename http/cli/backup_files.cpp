// Making, checking and listing backups, and the file of deletions.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <thread>

#include "http/api/views/json_writer.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/backup_parts.hpp"
#include "http/cli/exit_codes.hpp"
#include "http/server/version.hpp"
#include "storage/backup/catalog.hpp"
#include "storage/backup/verify.hpp"
#include "storage/store.hpp"

namespace quell::cli {

namespace {

constexpr std::chrono::milliseconds between_looks{200};

// The audit row of what was made past a server. A store that somebody serves has one writer: then
// the server makes the backup.
Result<void> note_backup(const Settings& settings, const storage::BackupMade& made,
                         const std::string& path) {
  auto store = storage::open_store(
      settings.values.store,
      {.data_dir = settings.values.data_dir, .unsafe = settings.values.unsafe, .migrate = false});
  if (!store) return store.error();
  auto writer = (*store)->open_writer();
  if (!writer) return writer.error();
  storage::Batch batch;
  const Json detail{{"path", path}, {"bytes", made.bytes}, {"digest", made.digest}};
  batch.audits.push_back({system_clock().now(), who_at_prompt(), "backup.created",
                          made.head.id.text(), detail.dump()});
  const auto written = (*writer)->apply(batch);
  return written ? Result<void>() : written.error();
}

std::string path_for(const Arguments& args, const SettingValues& settings, const Uuid& id) {
  std::string to = args.get("to", settings.backup_dir.empty() ? "." : settings.backup_dir);
  std::error_code ignored;
  if (std::filesystem::is_directory(to, ignored))
    to += "/" + storage::backup_name(system_clock().now(), id, true);
  return to;
}

void tell_made(const Arguments& args, const storage::BackupMade& made, const std::string& path) {
  Json object = head_json(made.head);
  object["path"] = path;
  object["bytes"] = made.bytes;
  object["digest"] = made.digest;
  object["rows"] = counts_json(made.sums);
  show_object(args, object);
}

int create_direct(const Arguments& args) {
  const auto settings = store_settings(args);
  if (!settings) return fail_backup(settings.error());
  auto passphrase = passphrase_of(args, true);
  if (!passphrase) return fail_backup(passphrase.error());
  auto key = store_key(settings->values, false);
  if (!key) return fail_backup(key.error());
  auto source = storage::open_backup_source(settings->values.store, settings->values.data_dir);
  if (!source) return fail_backup(source.error());
  IdSource ids(system_clock());
  storage::BackupRequest request;
  request.id = ids.next();
  request.path = path_for(args, settings->values, request.id);
  request.product = http::version;
  request.passphrase = *passphrase;
  request.store_key = *key;
  request.progress = progress_line(args);
  const auto made = storage::make_backup(**source, request, system_clock());
  end_progress_line(args);
  if (!made) return fail_backup(made.error());
  source->reset();
  if (auto noted = note_backup(*settings, *made, request.path); !noted)
    std::cerr << "quell: the backup is made, and no audit row says so: " << noted.error().detail
              << '\n';
  tell_made(args, *made, request.path);
  return 0;
}

// The server makes it; here it is followed to its end.
int create_by_server(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto begun = session->want("POST", "/api/v1/backups", "{}");
  if (!begun) return session->exit_code();
  const std::string id = begun->body.value("backup_id", "");
  const auto tell = progress_line(args);
  for (;;) {
    const auto now = session->want("GET", "/api/v1/backups");
    if (!now) return session->exit_code();
    const Json &running = now->body["running"], &last = now->body["last"],
               &failed = now->body["last_failure"];
    if (last.is_object() && last.value("backup_id", "") == id) {
      end_progress_line(args);
      session->show(last, "name");
      return 0;
    }
    for (const Json& one : now->body["backups"])  // the timetable may have made a later one since
      if (one.value("rotates", true) == false && one["backup_id"] == id) {
        end_progress_line(args);
        session->show(one, "name");
        return 0;
      }
    if (failed.is_object() && failed.value("backup_id", "") == id) {
      end_progress_line(args);
      return fail_with(ErrorCode::store_unavailable, failed.value("error", ""));
    }
    if (running.is_object())
      tell({"", running.value("rows", std::uint64_t{0}), running.value("bytes", std::uint64_t{0}),
            0});
    if (was_interrupted()) {
      session->say("the server goes on with it: quell backup list");
      return interrupted_exit;
    }
    std::this_thread::sleep_for(between_looks);
  }
}

Json listed_json(const storage::ListedBackup& one) {
  Json row{{"name", one.name}, {"bytes", one.bytes}};
  if (!one.fault.empty()) {
    row["fault"] = one.fault;
    return row;
  }
  row.update(head_json(one.head));
  row["jobs"] = one.sums[static_cast<std::size_t>(storage::BackupTableId::job)].rows;
  return row;
}

int list_directory(const Arguments& args, const std::string& dir) {
  const auto listed = storage::list_backups(dir);
  if (!listed) return fail_with(listed.error().code, listed.error().detail);
  Json rows = Json::array();
  for (const storage::ListedBackup& one : *listed) rows.push_back(listed_json(one));
  if (args.get("output") == "json") {
    std::cout << rows.dump() << '\n';
    return 0;
  }
  for (const Json& row : rows)
    std::cout << fmt::format("{:<52} {:>10}  {:>9} jobs  {}", harmless(row.value("name", "")),
                             size_text(row.value("bytes", std::uint64_t{0})),
                             row.value("jobs", std::uint64_t{0}),
                             harmless(row.value("fault", row.value("moment", ""))))
              << '\n';
  return 0;
}

}  // namespace

int backup_create(const Arguments& args) {
  return args.has("store") ? create_direct(args) : create_by_server(args);
}

int backup_verify(const Arguments& args) {
  const auto checked = storage::verify_backup(args.words.at(0), progress_line(args));
  end_progress_line(args);
  if (!checked) return fail_backup(checked.error());
  tell_made(args, *checked, args.words.at(0));
  return 0;
}

int backup_list(const Arguments& args) {
  if (!args.words.empty()) return list_directory(args, args.words.front());
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want("GET", "/api/v1/backups");
  if (!answer) return session->exit_code();
  session->show_rows(answer->body["backups"], {"name", "bytes", "jobs", "moment", "fault"}, "name");
  const Json& failed = answer->body["last_failure"];
  const Json& last = answer->body["last"];
  if (failed.is_object() &&
      (!last.is_object() || last.value("ended", "") < failed.value("ended", "")))
    session->say("the last one failed at " + failed.value("ended", "") + ": " +
                 harmless(failed.value("error", "")));
  return 0;
}

int deletions_export(const Arguments& args) {
  const auto settings = store_settings(args);
  if (!settings) return fail_backup(settings.error());
  auto source = storage::open_backup_source(settings->values.store, settings->values.data_dir);
  if (!source) return fail_backup(source.error());
  IdSource ids(system_clock());
  storage::BackupRequest request;
  request.id = ids.next();
  request.path = args.get("to");
  if (request.path.empty()) return fail_with(ErrorCode::usage, "--to FILE is needed");
  request.product = http::version;
  request.deletions_only = true;
  request.progress = progress_line(args);
  const auto made = storage::make_backup(**source, request, system_clock());
  end_progress_line(args);
  if (!made) return fail_backup(made.error());
  tell_made(args, *made, request.path);
  return 0;
}

}  // namespace quell::cli
