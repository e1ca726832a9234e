#include "http/cli/backup_parts.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "http/api/views/json_writer.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/exit_codes.hpp"
#include "http/cli/settings_source.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/signing/passphrase_box.hpp"

namespace quell::cli {

namespace {

std::atomic<bool> interrupted_here{false};

void note_interrupt(int) {
  interrupted_here = true;
}

bool shows_progress(const Arguments& args) {
  return !args.has("quiet") && ::isatty(STDERR_FILENO) == 1;
}

constexpr int line_width = 24;

}  // namespace

Result<Settings> store_settings(const Arguments& args) {
  Arguments meant;
  for (const char* name : {"store", "config"})
    if (const auto found = args.options.find(name); found != args.options.end())
      meant.options[name] = found->second;
  if (args.has("data-dir")) meant.options["data_dir"] = {args.get("data-dir")};
  return load_settings(meant);
}

Result<std::optional<SecretBox>> store_key(const SettingValues& settings, bool make) {
  if (!settings.secret_key.empty()) {
    auto box = SecretBox::from_base64_key(settings.secret_key.reveal());
    if (!box) return box.error();
    return std::optional(std::move(*box));
  }
  const std::string path = settings.data_dir + "/secret.key";
  if (!make && ::access(path.c_str(), F_OK) != 0) return std::optional<SecretBox>();
  auto box = SecretBox::open_file(path);
  if (!box) return box.error();
  return std::optional(std::move(*box));
}

Result<std::string> passphrase_of(const Arguments& args, bool needed) {
  if (args.has("passphrase-file")) return read_passphrase(args.get("passphrase-file"));
  if (needed && !args.has("without-secrets"))
    return Error{ErrorCode::usage,
                 "say --passphrase-file FILE to seal the secrets in the backup, or"
                 " --without-secrets to leave them out"};
  return std::string();
}

storage::TellProgress progress_line(const Arguments& args) {
  interrupted_here = false;
  std::signal(SIGINT, &note_interrupt);
  std::signal(SIGTERM, &note_interrupt);
  const bool shown = shows_progress(args);
  return [shown](const storage::BackupProgress& now) {
    if (shown && now.all > 0) {
      const auto filled = static_cast<int>(now.done * line_width / now.all);
      std::cerr << fmt::format("\r[{:<{}}] {:3} %  {:<14}",
                               std::string(static_cast<std::size_t>(filled), '#'), line_width,
                               now.done * 100 / now.all, now.table);
    } else if (shown) {
      std::cerr << fmt::format("\r{} rows · {} · {:<14}", now.rows, size_text(now.done), now.table);
    }
    return !interrupted_here.load();
  };
}

void end_progress_line(const Arguments& args) {
  if (shows_progress(args)) std::cerr << "\r" << std::string(60, ' ') << "\r";
}

bool was_interrupted() {
  return interrupted_here;
}

int fail_backup(const Error& error) {
  const int code = fail_with(error.code, error.detail);
  return was_interrupted() ? interrupted_exit : code;
}

std::string size_text(std::uint64_t bytes) {
  constexpr double kilo = 1'000;
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / kilo);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / (kilo * kilo));
}

Json counts_json(const storage::TableSums& sums) {
  Json counts = Json::object();
  for (std::size_t at = 0; at < sums.size(); ++at)
    if (sums[at].rows > 0) counts[std::string(storage::backup_tables()[at].name)] = sums[at].rows;
  return counts;
}

Json head_json(const storage::BackupHead& head) {
  return Json{
      {"backup_id", head.id.text()},
      {"holds", head.deletions_only ? "deletions" : "everything"},
      {"moment", http::time_text(head.moment)},
      {"store", head.store},
      {"product", head.product},
      {"secrets", head.secrets == storage::BackupSecrets::wrapped ? "wrapped" : "left out"}};
}

void show_object(const Arguments& args, const Json& object) {
  if (args.get("output") == "json") {
    std::cout << object.dump() << '\n';
    return;
  }
  for (const auto& [name, value] : object.items())
    std::cout << fmt::format("{:<14}{}", name,
                             value.is_string() ? harmless(value.get<std::string>()) : value.dump())
              << '\n';
}

std::string who_at_prompt() {
  const char* user = std::getenv("USER");
  return fmt::format("cli:{}", user != nullptr ? user : std::to_string(::getuid()));
}

}  // namespace quell::cli
