// A start can be stopped: its first commit may wait for a standby that is away, for as long as that
// is away. Signals are blocked by then, so somebody must look for them.
#pragma once

#include <csignal>
#include <thread>

namespace quell::cli {

// From its birth to its end SIGTERM and SIGINT end the process at once: nothing runs yet.
class StartWatch {
 public:
  explicit StartWatch(const sigset_t& signals);
  ~StartWatch();
  StartWatch(const StartWatch&) = delete;
  StartWatch& operator=(const StartWatch&) = delete;

 private:
  int heard_, over_;
  std::thread thread_;
};

}  // namespace quell::cli
