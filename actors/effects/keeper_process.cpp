#include "actors/effects/keeper_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/effects/guard_process.hpp"
#include "actors/effects/keeper_loop.hpp"
#include "actors/effects/kernel_walls.hpp"
#include "actors/effects/process_tree.hpp"
#include "actors/effects/program_start.hpp"
#include "runtime/base/assert.hpp"

namespace quell {

namespace {
using Monotonic = std::chrono::steady_clock;
using How = ChildProcesses::How;
using EndKind = ExecEnd::Kind;
constexpr auto grace = std::chrono::milliseconds(500);
constexpr auto guard_patience = std::chrono::milliseconds(1500);  // with one that does not end
constexpr int nudge_ms = 10;  // how long a sweep waits at most for a process that has been killed
// While more guards are about to end, their ends are looked at together: the list of our children
// is as long as there are programs, and to read it for each end would be the square of that.
constexpr auto gather_ends = std::chrono::milliseconds(3);
constexpr auto look_after = std::chrono::milliseconds(500);
constexpr int look_ms = 100;    // how often guards that are to end are looked at
constexpr int reaps_max = 256;  // then the living are looked at again
constexpr std::uint64_t on_socket = 0, on_signal = 1;  // beside on_fork_server

// Those for guards are blocked here for ever, and so in each guard from its first moment on.
void block_signals() {
  for (int number : {SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGXFSZ}) {
    ::signal(number, SIG_IGN);
  }
  sigset_t blocked;
  sigemptyset(&blocked);
  for (int number :
       {SIGCHLD, guard_signal::terminate, guard_signal::kill, guard_signal::keeper_died}) {
    sigaddset(&blocked, number);
    ::signal(number, SIG_DFL);  // SIGCHLD, ignored, would reap behind our back
  }
  ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
}
}  // namespace

KeeperLoop::KeeperLoop(OwnedFd socket, KeeperRecord& record, std::uint32_t nonce,
                       const ProgramPolicy& policy)
    : socket_(std::move(socket)),
      record_(record),
      wire_(socket_.get()),
      nonce_(nonce),
      terms_{policy},
      wall_(policy.runs_any() && policy.walled ? policy.hidden : std::vector<std::string>()) {
  terms_.parts_ipc = policy.runs_any() && policy.walled && can_part_ipc();
  ::prctl(PR_SET_NAME, "quell-keeper", 0, 0, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // no program may look into it or steer it
  ::setsid();                            // a Ctrl-C at the terminal is the server's affair
  block_signals();
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  signals_.reset(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  QUELL_ASSERT(signals_ && epoll_);
  watch(socket_.get(), on_socket);
  watch(signals_.get(), on_signal);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  terms_.own_nofile = files.rlim_cur;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  // Against a program that forks without end, the one that kills should come first; only root may
  // ask for that.
  terms_.own_priority = ::getpriority(PRIO_PROCESS, 0);
  ::setpriority(PRIO_PROCESS, 0, terms_.own_priority - 10);
}

void KeeperLoop::watch(int fd, std::uint64_t key) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key;
  QUELL_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
}

// How long the loop may sleep: not at all while work is due.
int KeeperLoop::patience() const {
  if (sweep_due_ || !waiting_.empty()) return 0;
  if (!closing_.empty() && ending_ > 0) return static_cast<int>(gather_ends.count());
  if (!orphans_.empty() || !closing_.empty() || fork_server_.has_births()) return nudge_ms;
  int wait = ending_ > 0 ? look_ms : -1;
  const auto now = Monotonic::now();
  if (in_grace_ > 0)
    for (const auto& [key, job] : jobs_) {
      if (!job.kill_at) continue;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*job.kill_at - now).count();
      const int ms = static_cast<int>(std::max<std::int64_t>(left, 0));
      wait = wait < 0 ? ms : std::min(wait, ms);
    }
  if (wait < 0 && (server_gone_ || blocked_)) return nudge_ms;
  return wait;
}

void KeeperLoop::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int wait = patience();
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait);
    if (count == 0 && wait > 0) sweep_due_ = true;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;
      if (key == on_socket) {
        hear_server();
      } else if (key == on_signal) {
        signalfd_siginfo info;
        while (::read(signals_.get(), &info, sizeof info) > 0) continue;
        sweep_due_ = true;
      } else if (key == on_fork_server) {
        hear_fork_server();
      } else {
        hear_report(static_cast<std::uint32_t>(key >> 32));
      }
    }
    const auto now = Monotonic::now();
    if (in_grace_ > 0)
      for (auto& [key, job] : jobs_)
        if (job.kill_at && *job.kill_at <= now) condemn(job);
    if (now >= next_look_) hurry_guards(now);
    // One fork a round: a stop never waits behind the programs that are still to be started.
    if (!waiting_.empty()) {
      Waiting first = std::move(waiting_.front());
      waiting_.pop_front();
      spawn(std::move(first.call), std::move(first.fds));
    }
    if (std::exchange(sweep_due_, false)) sweep_due_ = sweep();
    blocked_ = !server_gone_ && wire_.flush() == keeper_wire::Wire::Flow::blocked;
    if (server_gone_ && jobs_.empty() && children_.empty()) return;
  }
}

void KeeperLoop::hear_server() {
  if (wire_.fill() == keeper_wire::Wire::Flow::gone) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket_.get(), nullptr);
    server_gone_ = true;
  }
  while (auto message = wire_.next()) {
    if (auto* call = std::get_if<keeper_wire::Exec>(&*message)) {
      std::array<OwnedFd, 3> fds;
      if (call->with_stdin) fds[0] = wire_.next_fd();
      fds[1] = wire_.next_fd();
      fds[2] = wire_.next_fd();
      waiting_.push_back(Waiting{std::move(*call), std::move(fds)});
    } else if (auto* order = std::get_if<keeper_wire::Stop>(&*message)) {
      stop(order->op, order->how);
    } else if (std::holds_alternative<keeper_wire::Reload>(*message)) {
      fork_server_.reload();
    }
  }
  if (server_gone_) condemn_all();
}

void KeeperLoop::spawn(keeper_wire::Exec call, std::array<OwnedFd, 3> fds) {
  std::array<int, 2> report{-1, -1};
  const bool complete = fds[1] && fds[2] && (fds[0] || !call.with_stdin);
  const auto key = static_cast<std::uint32_t>(call.op);
  QUELL_ASSERT(!jobs_.contains(key));
  // The API and the node have looked already; this holds whatever they do.
  const bool is_wanted =
      call.call.by == ExecCall::By::exec ? terms_.policy.enabled : terms_.policy.fork_server;
  if (!is_wanted) return refuse(call.op, "no program is run here: exec is off");
  const int ruleset = wall_.ruleset();
  if (!wall_.fault().empty()) return refuse(call.op, wall_.fault());
  if (complete && call.call.by == ExecCall::By::by_fork_server)
    return ask_for_child(call, std::move(fds));
  if (complete && call.call.by == ExecCall::By::as_fork_server)
    return start_fork_server(std::move(call), std::move(fds), ruleset);
  if (!complete || ::pipe2(report.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return refuse(call.op, std::strerror(complete ? errno : EMFILE));
  OwnedFd hear{report[0]}, tell{report[1]};
  record_.guard_begun();
  const pid_t child = ::fork();
  if (child == 0) {
    run_guard(ProgramStart{call.call, terms_, std::move(fds[0]), std::move(fds[1]),
                           std::move(fds[2]), ruleset},
              std::move(tell), process_tree::Mark{nonce_, key}, pid_, record_);
  }
  if (child < 0) {
    record_.guard_over();
    return refuse(call.op, std::string("fork: ") + std::strerror(errno));
  }
  KeeperJob job;
  job.op = call.op;
  job.guard = child;
  watch(hear.get(), (std::uint64_t{key} << 32) | 2);
  job.report = std::move(hear);
  guards_.emplace(child, key);
  jobs_.emplace(key, std::move(job));
}

void KeeperLoop::refuse(std::uint64_t op, std::string why) {
  wire_.put(keeper_wire::Ended{op, EndKind::failed, 0, std::move(why)});
}

void KeeperLoop::hear_report(std::uint32_t key) {
  const auto found = jobs_.find(key);
  if (found != jobs_.end()) read_report(found->second);
}

// End of file without a word means that exec has closed the other end: the program runs.
void KeeperLoop::read_report(KeeperJob& job) {
  if (!job.report) return;
  std::array<char, 4096> text;
  for (;;) {
    const ssize_t size = ::read(job.report.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;
    if (size == 0) break;
    job.fault.append(text.data(), static_cast<std::size_t>(size));
  }
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, job.report.get(), nullptr);
  job.report.reset();
  if (!job.fault.empty() || job.condemned || job.guard == 0) return;
  std::vector<pid_t> below;
  process_tree::children_of(job.guard, below);
  // Where it may not write this about itself: what it has started by then keeps what it had.
  if (!below.empty() && ::geteuid() != 0) offer_to_oom_killer(below.front());
  wire_.put(keeper_wire::Started{job.op, below.empty() ? job.guard : below.front()});
}

void KeeperLoop::stop(std::uint64_t op, How how) {
  const auto unborn = std::find_if(waiting_.begin(), waiting_.end(),
                                   [&](const Waiting& one) { return one.call.op == op; });
  if (unborn != waiting_.end()) {
    waiting_.erase(unborn);
    wire_.put(keeper_wire::Ended{op, EndKind::killed, SIGKILL, {}});
    return;
  }
  const auto found = jobs_.find(static_cast<std::uint32_t>(op));
  if (found == jobs_.end() || found->second.condemned) return;  // it has ended or is about to
  KeeperJob& job = found->second;
  if (job.is_unborn && fork_server_.take_back(found->first)) {
    wire_.put(keeper_wire::Ended{op, EndKind::killed, SIGKILL, {}});
    jobs_.erase(found);
    return;
  }
  job.stopped = job.stopped || job.guard != 0 || job.is_unborn;
  if (how == How::kill || job.is_unborn) return condemn(job);
  if (job.kill_at || job.guard == 0) return;
  job.kill_at = Monotonic::now() + grace;
  ++in_grace_;
  ::kill(job.guard, guard_signal::terminate);
}

void KeeperLoop::condemn(KeeperJob& job) {
  forget_grace(job);
  if (std::exchange(job.condemned, true) || job.guard == 0) return;
  job.condemned_at = Monotonic::now();
  ++ending_;
  // At once, while the guard waits for a core; what this misses is the guard's to find.
  const auto mark = job.is_own ? fork_server_.key() : static_cast<std::uint32_t>(job.op);
  process_tree::kill_below(job.guard, {nonce_, mark});
  ::kill(job.guard, job.is_own ? SIGKILL : guard_signal::kill);
  ::kill(job.guard, SIGCONT);  // a program may have stopped it
}

void KeeperLoop::forget_grace(KeeperJob& job) {
  if (job.kill_at) --in_grace_;
  job.kill_at.reset();
}

void KeeperLoop::condemn_all() {
  waiting_.clear();
  sweep_due_ = true;
  for (auto& [key, job] : jobs_) condemn(job);
}

// A program may hold its guard still. What it has below it comes to us when it is killed.
void KeeperLoop::hurry_guards(Monotonic::time_point now) {
  next_look_ = now + std::chrono::milliseconds(look_ms);
  if (fork_server_.is_late(now)) ::kill(fork_server_.pid(), SIGKILL);
  for (auto& [key, job] : jobs_) {
    if (job.guard == 0 || !job.condemned_at || now < *job.condemned_at + look_after) continue;
    const bool is_late = now >= *job.condemned_at + guard_patience;
    if (is_late || process_tree::is_held_still(job.guard)) ::kill(job.guard, SIGKILL);
  }
}

// Every process of a job has an ancestor among the children of its guard, at any instant: orphans
// come to it. A guard that has no child left ends, and then nothing of the job lives. A guard that
// ended otherwise is not believed: at that moment its children became ours. A child leaves our list
// only when we reap it, never while we read. So a list that was read after a guard was reaped, and
// shows no orphan that came since, proves that nothing of its job lives, however fast its programs
// fork and vanish. True: sweep again at once.
bool KeeperLoop::sweep() {
  bool again = reap();
  children_.clear();
  if (closing_.empty() && orphans_.empty() && !server_gone_) return again;
  const auto now = Monotonic::now();
  if (ending_ > 0 && !server_gone_ && now < list_read_ + gather_ends) return again;
  list_read_ = now;
  if (!process_tree::own_children(children_)) {
    children_.push_back(pid_);  // not known to be none; asked again after a nudge
    return false;
  }
  if (may_show_a_birth()) return again;
  again |= strike_orphans();
  std::uint64_t latest = 0;
  for (const auto& [pid, number] : orphans_) latest = std::max(latest, number);
  std::erase_if(closing_, [&](std::uint32_t key) {
    if (latest > jobs_.at(key).strangers) return false;
    finish(key);
    return true;
  });
  if (jobs_.empty()) record_.all_over();
  return again;
}

// A child whose name the fork server has not told yet is no orphan, and looks like one.
bool KeeperLoop::may_show_a_birth() const {
  if (!fork_server_.has_births()) return false;
  return std::any_of(children_.begin(), children_.end(), [this](pid_t pid) {
    return !guards_.contains(pid) && !orphans_.contains(pid);
  });
}

// True: there may be more.
bool KeeperLoop::reap() {
  for (int count = 0; count < reaps_max; ++count) {
    siginfo_t info{};
    const int rc = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL);
    if (rc != 0 || info.si_pid == 0) return false;
    const auto guard = guards_.find(info.si_pid);
    if (guard == guards_.end()) {
      orphans_.erase(info.si_pid);
      fork_server_.note_end(info);
      continue;
    }
    guard_ended(jobs_.at(guard->second), info);
    closing_.push_back(guard->second);
    if (info.si_pid == fork_server_.pid()) fork_server_ended();
    guards_.erase(guard);
  }
  return true;
}

void KeeperLoop::guard_ended(KeeperJob& job, const siginfo_t& info) {
  job.status_code = info.si_code;
  job.status = info.si_status;
  job.strangers = orphans_seen_;
  forget_grace(job);
  if (job.condemned_at) --ending_;
  if (job.is_own) record_.guard_over();
  read_report(job);
  job.guard = 0;
}

// Whose they are cannot be known, only that their guard is dead: they die. A job that was closing
// when they came waits until they are gone.
bool KeeperLoop::strike_orphans() {
  bool fresh = false;
  for (pid_t pid : children_) {
    if (guards_.contains(pid) || !orphans_.emplace(pid, orphans_seen_ + 1).second) continue;
    ++orphans_seen_;
    ::kill(pid, SIGKILL);
    fresh = true;
  }
  return fresh;
}

void KeeperLoop::finish(std::uint32_t key) {
  const auto found = jobs_.find(key);
  KeeperJob& job = found->second;
  keeper_wire::Ended end{job.op, EndKind::exited, job.status, {}};
  const bool by_signal = job.status_code != CLD_EXITED;
  if (!job.fault.empty()) {
    end.kind = EndKind::failed;
    end.code = 0;
    end.fault = job.fault;
  } else if (job.stopped) {
    end.kind = EndKind::killed;
    end.code = by_signal ? job.status : 0;
  } else if (by_signal) {
    end.kind = EndKind::signalled;
  }
  wire_.put(end);
  jobs_.erase(found);
}

void run_keeper(OwnedFd socket, KeeperRecord record, std::uint32_t nonce,
                const ProgramPolicy& policy) {
  KeeperLoop loop{std::move(socket), record, nonce, policy};
  loop.run();
  record.release();  // its last act but to let the lock go
  ::_exit(0);
}

}  // namespace quell
