#include "actors/effects/kernel_walls.hpp"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/effects/directory_wall.hpp"
#include "actors/effects/syscall_filter.hpp"

namespace quell {

// Tried in a child, because the rights to it depend on more than the user.
bool can_part_ipc() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWIPC) == 0 ? 0 : 1);
  int status = 1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

std::vector<KernelWall> kernel_walls() {
  const int landlock = DirectoryWall::version();
  const bool signals = landlock >= 6;
  const bool filter = syscall_filter::is_known_here();
  const bool ipc = can_part_ipc();
  std::vector<KernelWall> walls;
  walls.push_back(
      {landlock > 0, landlock > 0
                         ? "Landlock " + std::to_string(landlock) +
                               ": no program reads or writes the data directory"
                         : "no Landlock (Linux 5.19, in CONFIG_LSM): only file modes keep programs "
                           "from the data directory"});
  walls.push_back({signals, signals ? "Landlock scopes signals: programs signal none but their own"
                                    : "no scoped signals (Linux 6.12): a program can signal all of "
                                      "its user's processes, the server too if it is one of them"});
  walls.push_back({filter, filter ? "seccomp: no tracing, no kernel keys, modules or namespaces"
                                  : "no seccomp filter: programs may make every system call"});
  walls.push_back({ipc, ipc ? "IPC namespaces: System V memory and queues end with their program"
                            : "no IPC namespace for this user: System V memory and queues that a "
                              "program makes outlive it"});
  return walls;
}

}  // namespace quell
