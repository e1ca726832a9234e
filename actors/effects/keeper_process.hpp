// The keeper's own life: fork, watch, kill, reap; one thread, one loop, and never a wait for
// anything but events.
#pragma once

#include <cstdint>

#include "actors/effects/owned_fd.hpp"

namespace quell {

// Runs until the server's end of `socket` is closed and no process is left; then clears and
// releases the lock.
[[noreturn]] void run_keeper(OwnedFd socket, OwnedFd lock, std::uint32_t nonce);

}  // namespace quell
