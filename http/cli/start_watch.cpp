#include "http/cli/start_watch.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

#include "http/cli/log.hpp"

namespace quell::cli {

namespace {

void watch(int heard, int over) {
  while (true) {
    std::array<pollfd, 2> looked{pollfd{heard, POLLIN, 0}, pollfd{over, POLLIN, 0}};
    if (::poll(looked.data(), looked.size(), -1) < 0) continue;  // interrupted
    if (looked[1].revents != 0) return;
    signalfd_siginfo what{};
    if (::read(heard, &what, sizeof what) != sizeof what) continue;
    if (what.ssi_signo == SIGHUP) continue;
    log_line(LogLevel::info, "stopped before the start was over", "");
    flush_log();
    _exit(128 + static_cast<int>(what.ssi_signo));
  }
}

}  // namespace

StartWatch::StartWatch(const sigset_t& signals)
    : heard_(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)),
      over_(::eventfd(0, EFD_CLOEXEC)),
      thread_(&watch, heard_, over_) {}

StartWatch::~StartWatch() {
  ::eventfd_write(over_, 1);
  thread_.join();
  ::close(heard_);
  ::close(over_);
}

}  // namespace quell::cli
