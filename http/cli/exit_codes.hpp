// How a verb ends, beside the codes of errors.def.
#pragma once

namespace quell::cli {

inline constexpr int failed_exit = 1;         // some of it failed, and is told
inline constexpr int pending_exit = 6;        // begun; the server goes on with it
inline constexpr int interrupted_exit = 130;  // Ctrl-C

}  // namespace quell::cli
