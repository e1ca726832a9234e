// Documents that hold sealed values: named secrets, and what signs for webhook endpoints. A backup
// holds them under a key of its own passphrase, or not at all.
#pragma once

#include "runtime/signing/secret_box.hpp"
#include "storage/backup/backup_file.hpp"

namespace quell::storage {

// From one key to another. A fault when a value does not open.
Result<void> rewrap(BackupRow& doc, const SecretBox& from, const SecretBox& to);
// False: the row is nothing without its value. An endpoint stays, switched off.
bool leave_out_secret(BackupRow& doc);

// A new salt and the known text.
Result<SecretBox> new_wrapping(std::string_view passphrase, BackupHead& head);
// The box of a backup; a fault when this is not its passphrase.
Result<SecretBox> wrapping_of(const BackupHead& head, std::string_view passphrase);

}  // namespace quell::storage
