#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "actors/effects/keeper_loop.hpp"
#include "actors/effects/process_tree.hpp"

namespace quell {

// Ours alone, without a guard: what it forks twice over is to come to us.
void KeeperLoop::start_fork_server(keeper_wire::Exec call, std::array<OwnedFd, 3> fds,
                                   int ruleset) {
  std::array<int, 2> report{-1, -1}, pair{-1, -1};
  if (fork_server_.runs()) return refuse(call.op, "a fork server runs already");
  if (::pipe2(report.data(), O_CLOEXEC | O_NONBLOCK) != 0 ||
      ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return refuse(call.op, std::strerror(errno));
  OwnedFd hear{report[0]}, tell{report[1]}, ours{pair[0]}, its{pair[1]};
  const auto key = static_cast<std::uint32_t>(call.op);
  record_.guard_begun();
  const pid_t child = ::fork();
  if (child == 0) {
    process_tree::put_mark({nonce_, key});
    PreparedStart start(ProgramStart{call.call, terms_, std::move(its), std::move(fds[1]),
                                     std::move(fds[2]), ruleset, pid_});
    start.become_program(tell.get());
  }
  if (child < 0) {
    record_.guard_over();
    return refuse(call.op, std::string("fork: ") + std::strerror(errno));
  }
  KeeperJob job;
  job.op = call.op;
  job.guard = child;
  job.is_own = true;
  watch(hear.get(), (std::uint64_t{key} << 32) | 3);
  job.report = std::move(hear);
  watch(ours.get(), on_fork_server);
  fork_server_.began(child, key, std::move(ours));
  guards_.emplace(child, key);
  jobs_.emplace(key, std::move(job));
}

void KeeperLoop::ask_for_child(const keeper_wire::Exec& call, std::array<OwnedFd, 3> fds) {
  const auto key = static_cast<std::uint32_t>(call.op);
  if (!fork_server_.runs()) return refuse(call.op, keeper_wire::no_fork_server);
  KeeperJob job;
  job.op = call.op;
  job.is_own = job.is_unborn = true;
  jobs_.emplace(key, std::move(job));
  fork_server_.ask(key, std::move(fds));
}

void KeeperLoop::hear_fork_server() {
  for (const ForkServer::Born& born : fork_server_.hear()) is_born(born);
  // Of a fork server that has closed its end nothing is heard until it is reaped.
  char end = 0;
  if (::recv(fork_server_.socket(), &end, 1, MSG_PEEK | MSG_DONTWAIT) != 0) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fork_server_.socket(), nullptr);
  ::kill(fork_server_.pid(), SIGKILL);
}

// What it says is believed only of a process that is a child of ours and nobody else's.
void KeeperLoop::is_born(const ForkServer::Born& born) {
  const auto found = jobs_.find(born.key);
  if (found == jobs_.end() || !found->second.is_unborn) return;
  KeeperJob& job = found->second;
  job.is_unborn = false;
  sweep_due_ = true;
  std::vector<pid_t> children;
  process_tree::own_children(children);
  const bool is_ours = std::find(children.begin(), children.end(), born.pid) != children.end() &&
                       !guards_.contains(born.pid) && !orphans_.contains(born.pid);
  const auto end = fork_server_.early_end(born.pid);
  if (is_ours) {
    record_.guard_begun();
    job.guard = born.pid;
    guards_.emplace(born.pid, born.key);
    if (std::exchange(job.condemned, false)) return condemn(job);
    wire_.put(keeper_wire::Started{job.op, born.pid});
    return;
  }
  job.strangers = orphans_seen_;
  closing_.push_back(born.key);
  if (!end) job.fault = "the process could not be forked";
  if (!end) return;
  job.status_code = end->si_code;
  job.status = end->si_status;
}

void KeeperLoop::fork_server_ended() {
  const ForkServer::Unborn unborn = fork_server_.ended();
  for (const std::uint32_t key : unborn.not_asked) {
    refuse(jobs_.at(key).op, keeper_wire::no_fork_server);
    jobs_.erase(key);
  }
  for (const std::uint32_t key : unborn.asked) {
    KeeperJob& job = jobs_.at(key);
    job.is_unborn = false;
    job.fault = "the fork server ended";
    job.strangers = orphans_seen_;
    closing_.push_back(key);
  }
}

}  // namespace quell
