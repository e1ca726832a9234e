// A guard: one small process per job, between the keeper and the job's program. Every process of
// the job lives below it, whatever it does; it kills them, reaps them and ends as the program did.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "actors/effects/keeper_record.hpp"
#include "actors/effects/owned_fd.hpp"
#include "actors/effects/process_tree.hpp"
#include "actors/effects/program_start.hpp"

namespace quell {

// What the keeper sends its guards; they must be blocked before a guard is forked.
namespace guard_signal {
constexpr int terminate = SIGTERM;    // pass it on to the program's group
constexpr int kill = SIGUSR1;         // end the tree
constexpr int keeper_died = SIGUSR2;  // sent by the kernel: end the tree
}  // namespace guard_signal

// In the child that the keeper has just forked. `report`: see become_program.
[[noreturn]] void run_guard(ProgramStart start, OwnedFd report, process_tree::Mark mark,
                            pid_t keeper, KeeperRecord& record);

}  // namespace quell
