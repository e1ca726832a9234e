#include "actors/effects/guard_process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace quell {

namespace {
// How long it waits for the next sign of what it has killed: a death is told, but not an orphan
// that comes. Doubled each time, because a thousand guards that look must not keep the killed from
// the core that they need to die.
constexpr long nudge_first_ns = 10'000'000, nudge_last_ns = 320'000'000;
constexpr int reaps_max = 64;  // then the living are looked at again

class Guard {
 public:
  Guard(pid_t leader, KeeperRecord& record) : leader_(leader), record_(record) {}
  [[noreturn]] void run(bool keeper_is_gone);

 private:
  void hear(int number);
  bool reap();
  bool strike();
  [[noreturn]] void leave();

  pid_t leader_;  // 0: reaped
  KeeperRecord& record_;
  bool ending_ = false;
  bool more_ = false;  // dead children that are not reaped yet
  int status_code_ = CLD_KILLED, status_ = SIGKILL;
  std::unordered_set<pid_t> struck_;  // killed, not reaped yet
  std::vector<pid_t> children_;
};

void Guard::run(bool keeper_is_gone) {
  sigset_t ours;
  sigemptyset(&ours);
  for (int number :
       {SIGCHLD, guard_signal::terminate, guard_signal::kill, guard_signal::keeper_died}) {
    sigaddset(&ours, number);
  }
  if (keeper_is_gone) hear(guard_signal::keeper_died);
  timespec nudge{0, nudge_first_ns};
  for (;;) {
    const timespec none{0, 0};
    if (more_ || keeper_is_gone)
      hear(::sigtimedwait(&ours, nullptr, &none));
    else
      hear(ending_ ? ::sigtimedwait(&ours, nullptr, &nudge) : ::sigwaitinfo(&ours, nullptr));
    keeper_is_gone = false;
    if (!reap()) leave();
    if (!ending_) continue;
    nudge.tv_nsec = strike() ? nudge_first_ns : std::min(nudge.tv_nsec * 2, nudge_last_ns);
  }
}

void Guard::hear(int number) {
  if (number == guard_signal::terminate && leader_ != 0) {
    // Until the child has its own group, only itself can be meant.
    if (::kill(-leader_, SIGTERM) != 0) ::kill(leader_, SIGTERM);
  }
  if (number != guard_signal::kill && number != guard_signal::keeper_died) return;
  if (!std::exchange(ending_, true) && leader_ != 0) ::kill(-leader_, SIGKILL);
}

// False: no child is left. Orphans come to us, so then nothing of the job lives.
bool Guard::reap() {
  more_ = false;
  for (int count = 0; count < reaps_max; ++count) {
    siginfo_t info{};
    const int look = leader_ != 0 ? WNOWAIT : 0;  // only its number is needed once more
    const int rc = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | look | __WALL);
    if (rc != 0 && errno == ECHILD) return false;
    if (rc != 0 || info.si_pid == 0) return true;
    const pid_t pid = info.si_pid;
    if (pid == leader_) {
      status_code_ = info.si_code;
      status_ = info.si_status;
      ending_ = true;             // what it left behind dies with it
      ::kill(-leader_, SIGKILL);  // while its number can be nobody else's
      leader_ = 0;
    }
    if (look != 0) ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | __WALL);
    struck_.erase(pid);
  }
  more_ = true;
  return true;
}

// A child keeps its number until we reap it. Those below it come to us as it dies, if the keeper
// has not killed them all before. True: somebody was killed.
bool Guard::strike() {
  children_.clear();
  process_tree::own_children(children_);
  bool fresh = false;
  for (pid_t pid : children_) {
    if (!struck_.insert(pid).second) continue;
    fresh = true;
    ::kill(pid, SIGKILL);
  }
  return fresh;
}

// As the program ended, so that the keeper reads its end from ours.
void Guard::leave() {
  record_.guard_over();
  if (status_code_ != CLD_EXITED) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, status_);
    ::signal(status_, SIG_DFL);
    ::raise(status_);
    ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
    ::raise(SIGKILL);
  }
  ::_exit(status_);
}

// Its core would be nobody's, and its memory is the keeper's: not for programs to read or write.
void close_up() {
  ::prctl(PR_SET_NAME, "quell-guard", 0, 0, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::prctl(PR_SET_PDEATHSIG, guard_signal::keeper_died, 0, 0, 0);
}

void keep_only(int fd) {
  ::close_range(3, static_cast<unsigned>(fd) - 1, 0);
  ::close_range(static_cast<unsigned>(fd) + 1, ~0u, 0);
}
}  // namespace

void run_guard(ProgramStart start, OwnedFd report, process_tree::Mark mark, pid_t keeper,
               KeeperRecord& record) {
  close_up();
  const bool keeper_is_gone = ::getppid() != keeper;
  // Helps to find the tree, proves nothing: where it cannot be put, ancestry still ends it.
  process_tree::put_mark(mark);
  PreparedStart prepared(std::move(start));
  prepared.set_parent(::getpid());
  // We sleep until it has become the program, and what it writes in our memory we never read.
  const pid_t leader = ::vfork();
  if (leader == 0) prepared.become_program(report.get());
  if (leader < 0) {
    const std::string text = std::string("fork: ") + std::strerror(errno);
    [[maybe_unused]] const ssize_t put = ::write(report.get(), text.data(), text.size());
    record.guard_over();
    ::_exit(127);
  }
  // Numbers that are closed here are no longer owned by anybody: this never returns.
  keep_only(record.fd());
  Guard{leader, record}.run(keeper_is_gone);
}

}  // namespace quell
