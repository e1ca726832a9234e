// What happens between fork and exec, in the child of the keeper: nothing of the server may reach a
// job's program.
#pragma once

#include <sys/types.h>

#include <string>

#include "actors/effects/child_process.hpp"
#include "actors/effects/owned_fd.hpp"
#include "actors/effects/process_tree.hpp"

namespace quell {

struct ProgramStart {
  const ExecCall& call;
  process_tree::Mark mark;
  OwnedFd in, out, err;  // in: none = /dev/null
  pid_t keeper = 0;
  std::uint64_t own_nofile = 0;  // the soft limit before the keeper raised its own
  int own_priority = 0;
};

// Becomes the program, or writes one sentence to `report` (closed by a successful exec) and exits.
[[noreturn]] void become_program(ProgramStart start, OwnedFd report);

}  // namespace quell
