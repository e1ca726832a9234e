// What the verbs of backups share: the store that is meant, its key, and the line that shows how
// far one is.
#pragma once

#include "http/cli/api_client.hpp"
#include "http/cli/verbs.hpp"
#include "runtime/settings/settings.hpp"
#include "storage/backup/create.hpp"

namespace quell::cli {

// --store and --data-dir over what the configuration says.
Result<Settings> store_settings(const Arguments& args);
// What seals the store's secrets, when it can be had; `make` writes a new key file if there is
// none.
Result<std::optional<SecretBox>> store_key(const SettingValues& settings, bool make);
// "" without --passphrase-file. A fault when neither that nor --without-secrets was said and
// `needed`.
Result<std::string> passphrase_of(const Arguments& args, bool needed);

// Ctrl-C ends the work in good order. The line is shown on a terminal only.
storage::TellProgress progress_line(const Arguments& args);
void end_progress_line(const Arguments& args);
bool was_interrupted();
int fail_backup(const Error& error);  // tells it; interrupted is an end of its own

std::string size_text(std::uint64_t bytes);
Json counts_json(const storage::TableSums& sums);
Json head_json(const storage::BackupHead& head);
// One object, as -o asks: a table of two columns, or JSON.
void show_object(const Arguments& args, const Json& object);
std::string who_at_prompt();

}  // namespace quell::cli
