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
#include <unordered_set>

#include "actors/effects/keeper_wire.hpp"
#include "actors/effects/process_tree.hpp"
#include "actors/effects/program_start.hpp"
#include "runtime/assert.hpp"

namespace quell {

namespace {
using Monotonic = std::chrono::steady_clock;
using How = ChildProcesses::How;
using Kind = ExecEnd::Kind;
constexpr auto grace = std::chrono::milliseconds(500);
constexpr int nudge_ms = 10;  // how long a sweep waits at most for a process that has been killed
constexpr std::uint64_t on_socket = 0, on_signal = 1;  // epoll keys; all others are a job's report

struct Job {
  std::uint64_t op = 0;
  pid_t leader = 0;
  OwnedFd report;            // open until the exec is known to have worked or failed
  std::string fault = {};    // why it failed
  bool stopped = false;      // by the server, while the leader lived
  bool condemned = false;    // everything of it is to be killed
  bool leader_dead = false;  // a zombie, kept so that its pid and group stay ours
  int status_code = 0, status = 0;
  std::optional<Monotonic::time_point> kill_at = {};
};

std::optional<siginfo_t> ended(pid_t pid) {
  siginfo_t info{};
  const int rc = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
  if (rc != 0 || info.si_pid == 0) return std::nullopt;
  return info;
}

void reap(pid_t pid) {
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG);
}

class KeeperLoop {
 public:
  KeeperLoop(OwnedFd socket, std::uint32_t nonce);
  void run();

 private:
  void watch(int fd, std::uint64_t key);
  int patience() const;
  void hear_server();
  void spawn(keeper_wire::Exec call, std::array<OwnedFd, 3> fds);
  void hear_report(std::uint32_t key);
  void read_report(Job& job);
  void stop(std::uint64_t op, How how);
  void condemn(Job& job);
  void condemn_all();
  bool sweep();
  bool sweep_leader(Job& job);
  bool sweep_orphan(pid_t pid, bool& unknown);
  Job* job_of_orphan(pid_t pid);
  void finish(std::uint32_t key);

  struct Waiting {
    keeper_wire::Exec call;
    std::array<OwnedFd, 3> fds;
  };
  OwnedFd socket_, signals_, epoll_;
  keeper_wire::Wire wire_;
  std::uint32_t nonce_;
  pid_t pid_ = ::getpid();
  std::uint64_t own_nofile_ = 0;
  int own_priority_ = 0;
  bool server_gone_ = false;
  bool sweep_due_ = false;
  bool blocked_ = false;
  std::deque<Waiting> waiting_;
  std::unordered_map<std::uint32_t, Job> jobs_;  // by the job number of the mark
  std::unordered_map<pid_t, std::uint32_t> leaders_;
  std::unordered_set<pid_t> killed_;  // orphans that were sent SIGKILL and are not reaped yet
  std::unordered_set<std::uint32_t>
      seen_;  // jobs of which the running sweep saw more than the leader
  std::vector<pid_t> children_;
};

KeeperLoop::KeeperLoop(OwnedFd socket, std::uint32_t nonce)
    : socket_(std::move(socket)), wire_(socket_.get()), nonce_(nonce) {
  ::prctl(PR_SET_NAME, "quell-keeper", 0, 0, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  ::setsid();  // a Ctrl-C at the terminal is the server's affair
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP}) {
    ::signal(number, SIG_IGN);
  }
  ::signal(SIGCHLD, SIG_DFL);  // ignored, it would reap behind our back
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &child, nullptr);
  signals_.reset(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  QUELL_ASSERT(signals_ && epoll_);
  watch(socket_.get(), on_socket);
  watch(signals_.get(), on_signal);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  own_nofile_ = files.rlim_cur;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  // Against a program that forks without end, the one that kills should come first; only root may
  // ask for that.
  own_priority_ = ::getpriority(PRIO_PROCESS, 0);
  ::setpriority(PRIO_PROCESS, 0, own_priority_ - 10);
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
  int wait = -1;
  const auto now = Monotonic::now();
  for (const auto& [key, job] : jobs_) {
    if (job.condemned) return nudge_ms;
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
      } else {
        hear_report(static_cast<std::uint32_t>(key >> 32));
      }
    }
    const auto now = Monotonic::now();
    for (auto& [key, job] : jobs_)
      if (job.kill_at && *job.kill_at <= now) condemn(job);
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
    } else if (auto* wish = std::get_if<keeper_wire::Stop>(&*message)) {
      stop(wish->op, wish->how);
    }
  }
  if (server_gone_) condemn_all();
}

void KeeperLoop::spawn(keeper_wire::Exec call, std::array<OwnedFd, 3> fds) {
  std::array<int, 2> report{-1, -1};
  const bool complete = fds[1] && fds[2] && (fds[0] || !call.with_stdin);
  const auto key = static_cast<std::uint32_t>(call.op);
  QUELL_ASSERT(!jobs_.contains(key));
  if (!complete || ::pipe2(report.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    const int error = complete ? errno : EMFILE;
    wire_.put(keeper_wire::Ended{call.op, Kind::failed, 0, std::strerror(error)});
    return;
  }
  OwnedFd hear{report[0]}, tell{report[1]};
  const pid_t child = ::fork();
  if (child == 0) {
    become_program(
        ProgramStart{call.call, process_tree::Mark{nonce_, key}, std::move(fds[0]),
                     std::move(fds[1]), std::move(fds[2]), pid_, own_nofile_, own_priority_},
        std::move(tell));
  }
  if (child < 0) {
    wire_.put(
        keeper_wire::Ended{call.op, Kind::failed, 0, std::string("fork: ") + std::strerror(errno)});
    return;
  }
  Job job;
  job.op = call.op;
  job.leader = child;
  watch(hear.get(), (std::uint64_t{key} << 32) | 2);
  job.report = std::move(hear);
  leaders_.emplace(child, key);
  jobs_.emplace(key, std::move(job));
}

void KeeperLoop::hear_report(std::uint32_t key) {
  const auto found = jobs_.find(key);
  if (found != jobs_.end()) read_report(found->second);
}

// End of file without a word means that exec has closed the other end: the program runs.
void KeeperLoop::read_report(Job& job) {
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
  if (job.fault.empty() && !job.condemned) {
    wire_.put(keeper_wire::Started{job.op, job.leader});
  }
}

void KeeperLoop::stop(std::uint64_t op, How how) {
  const auto unborn = std::find_if(waiting_.begin(), waiting_.end(),
                                   [&](const Waiting& one) { return one.call.op == op; });
  if (unborn != waiting_.end()) {
    waiting_.erase(unborn);
    wire_.put(keeper_wire::Ended{op, Kind::killed, SIGKILL, {}});
    return;
  }
  const auto found = jobs_.find(static_cast<std::uint32_t>(op));
  if (found == jobs_.end() || found->second.condemned) return;  // it has ended or is about to
  Job& job = found->second;
  job.stopped = job.stopped || !ended(job.leader);
  if (how == How::kill) return condemn(job);
  if (job.kill_at) return;
  job.kill_at = Monotonic::now() + grace;
  // Until the child has its own group, only itself can be meant. The leader is not reaped, so
  // neither id is reused.
  if (::kill(-job.leader, SIGTERM) != 0) ::kill(job.leader, SIGTERM);
}

void KeeperLoop::condemn(Job& job) {
  job.kill_at.reset();
  sweep_due_ = true;
  if (std::exchange(job.condemned, true)) return;
  ::kill(-job.leader, SIGKILL);
  if (job.leader_dead) return;
  ::kill(job.leader, SIGKILL);
  // Those that left the group, while ancestry still shows them.
  process_tree::kill_below(job.leader, {nonce_, static_cast<std::uint32_t>(job.op)});
}

void KeeperLoop::condemn_all() {
  waiting_.clear();
  sweep_due_ = true;
  for (auto& [key, job] : jobs_) condemn(job);
}

// Every process of every job has an ancestor among our own children, at any instant: orphans come
// to us. And a child leaves our list only when we reap it, never while we read. So a list in which
// a job has nothing but its dead leader proves that nothing of the job lives, however fast its
// programs fork and vanish. True: sweep again at once.
bool KeeperLoop::sweep() {
  std::vector<std::uint32_t> closing;
  for (const auto& [key, job] : jobs_)
    if (job.condemned && job.leader_dead) closing.push_back(key);  // dead before the list is read
  children_.clear();
  seen_.clear();
  if (!process_tree::children_of(pid_, children_)) {
    children_.push_back(pid_);  // not known to be none; asked again after a nudge
    return false;
  }
  bool again = false;
  bool unknown = false;
  for (pid_t pid : children_) {
    const auto leader = leaders_.find(pid);
    again |= leader != leaders_.end() ? sweep_leader(jobs_.at(leader->second))
                                      : sweep_orphan(pid, unknown);
  }
  for (std::uint32_t key : closing)
    if (!unknown && !seen_.contains(key)) finish(key);
  return again || (server_gone_ && !closing.empty());
}

bool KeeperLoop::sweep_leader(Job& job) {
  if (job.leader_dead) return false;
  const auto info = ended(job.leader);
  if (!info) return false;
  job.leader_dead = true;
  job.status_code = info->si_code;
  job.status = info->si_status;
  read_report(job);
  condemn(job);  // what it left behind dies with it
  return true;
}

bool KeeperLoop::sweep_orphan(pid_t pid, bool& unknown) {
  Job* job = job_of_orphan(pid);
  if (job != nullptr) seen_.insert(static_cast<std::uint32_t>(job->op));
  // A process that hides whose it is could be of any job that is being ended: it dies, and nothing
  // is proven before.
  if (job == nullptr) unknown = true;
  if (ended(pid)) {
    reap(pid);
    killed_.erase(pid);
    return job == nullptr || job->condemned;
  }
  if (job != nullptr && !job->condemned) return false;
  if (!killed_.insert(pid).second) return false;
  ::kill(pid, SIGKILL);
  if (job != nullptr) {
    process_tree::kill_below(pid, {nonce_, static_cast<std::uint32_t>(job->op)});
  }
  return true;
}

Job* KeeperLoop::job_of_orphan(pid_t pid) {
  const auto mark = process_tree::mark_of(pid);
  if (!mark || mark->nonce != nonce_) return nullptr;
  const auto found = jobs_.find(mark->job);
  return found == jobs_.end() ? nullptr : &found->second;
}

void KeeperLoop::finish(std::uint32_t key) {
  const auto found = jobs_.find(key);
  Job& job = found->second;
  reap(job.leader);
  keeper_wire::Ended end{job.op, Kind::exited, job.status, {}};
  const bool by_signal = job.status_code != CLD_EXITED;
  if (!job.fault.empty()) {
    end.kind = Kind::failed;
    end.code = 0;
    end.fault = job.fault;
  } else if (job.stopped) {
    end.kind = Kind::killed;
    end.code = by_signal ? job.status : 0;
  } else if (by_signal) {
    end.kind = Kind::signalled;
  }
  wire_.put(end);
  leaders_.erase(job.leader);
  jobs_.erase(found);
}
}  // namespace

void run_keeper(OwnedFd socket, OwnedFd lock, std::uint32_t nonce) {
  KeeperLoop loop{std::move(socket), nonce};
  loop.run();
  // Emptied, the lock file says that this keeper ended in order; its last act is to release it.
  [[maybe_unused]] const int ignored = ::ftruncate(lock.get(), 0);
  ::_exit(0);
}

}  // namespace quell
