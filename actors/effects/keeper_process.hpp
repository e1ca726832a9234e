// The keeper's own life: it forks a guard for each program, tells it to end, and reaps it; one
// thread, one loop, and never a wait for anything but events.
#pragma once

#include <cstdint>

#include "actors/effects/keeper_record.hpp"
#include "actors/effects/owned_fd.hpp"
#include "actors/effects/program_policy.hpp"

namespace quell {

// Runs until the server's end of `socket` is closed and no process is left; then releases the
// record.
[[noreturn]] void run_keeper(OwnedFd socket, KeeperRecord record, std::uint32_t nonce,
                             const ProgramPolicy& policy);

}  // namespace quell
