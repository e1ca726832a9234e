// How long a call may wait for the end of what it began.
#pragma once

namespace quell::http {

inline constexpr double longest_wait_s = 30;

}  // namespace quell::http
