// What the backup keeper hears, from others and from itself.
#pragma once

#include "actors/messages.hpp"
#include "storage/backup/create.hpp"

namespace quell {

// ---- to the backup keeper
// -------------------------------------------------------------------------------------------------
struct LookForBackup {};  // timer: is one due?
struct MakeBackup {       // Node: a person wants one now
  std::string who;
  std::function<void(Result<Uuid>)> answer;
};
struct BackupsKnown {  // reader: what the fleet says of the last ones
  Result<std::optional<storage::Doc>> last, failed;
};
struct BackupEnded {  // the thread that made it
  Uuid id;
  Result<storage::BackupMade> made;
  std::string name;
  std::vector<std::string> removed;  // by the rotation
};

}  // namespace quell

#define QUELL_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quell::name)
QUELL_MESSAGE(LookForBackup)
QUELL_MESSAGE(MakeBackup)
QUELL_MESSAGE(BackupsKnown)
QUELL_MESSAGE(BackupEnded)
#undef QUELL_MESSAGE
