// What happens between fork and exec, in the child of a guard: nothing of the server may reach a
// job's program, and the program gets no more than its policy grants.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "actors/effects/child_process.hpp"
#include "actors/effects/owned_fd.hpp"
#include "actors/effects/program_policy.hpp"

namespace quell {

// What the keeper knows of all programs.
struct ProgramTerms {
  ProgramPolicy policy;
  bool parts_ipc = false;        // each gets System V memory and queues of its own
  std::uint64_t own_nofile = 0;  // the soft limit before the keeper raised its own
  int own_priority = 0;
};

struct ProgramStart {
  const ExecCall& call;
  const ProgramTerms& terms;
  OwnedFd in, out, err;  // in: none = /dev/null
  int ruleset = -1;      // of the wall before the data directory; the keeper's
  pid_t parent = 0;      // its guard
};

// Everything of a start that takes memory, made while there is still a process of its own to take
// it in.
class PreparedStart {
 public:
  explicit PreparedStart(ProgramStart start);
  void set_parent(pid_t guard) { start_.parent = guard; }

  // In a child of vfork, so it only makes system calls. Becomes the program, or writes one sentence
  // to `report` (closed by a successful exec) and exits.
  [[noreturn]] void become_program(int report);

 private:
  void arrange_descriptors(int report);
  void apply_limits() const;
  void become_user() const;
  void raise_walls() const;

  ProgramStart start_;
  std::vector<std::string> assignments_;
  std::vector<char*> argv_, envp_;
};

// So that the system, out of memory, takes programs first. A program that runs already, which the
// keeper may do where the program's start may not.
void offer_to_oom_killer(pid_t program);

}  // namespace quell
