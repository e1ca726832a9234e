// The keeper's loop: what it knows of each program, and what it does about it.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/effects/directory_wall.hpp"
#include "actors/effects/fork_server.hpp"
#include "actors/effects/keeper_record.hpp"
#include "actors/effects/keeper_wire.hpp"
#include "actors/effects/program_policy.hpp"
#include "actors/effects/program_start.hpp"

namespace quell {

inline constexpr std::uint64_t on_fork_server = 2;  // epoll's key of its socket

struct KeeperJob {
  std::uint64_t op = 0;
  pid_t guard = 0;  // 0: reaped, or not born yet
  // The fork server, or a child of it: there is no guard, the process itself is ours, and what is
  // below it carries the mark of the fork server.
  bool is_own = false, is_unborn = false;
  OwnedFd report;          // open until the exec is known to have worked or failed
  std::string fault = {};  // why it failed
  bool stopped = false;    // by the server, while it ran
  bool condemned = false;  // everything of it is to be killed
  int status_code = 0, status = 0;
  std::uint64_t strangers = 0;  // orphans up to this one came before its guard was dead
  std::optional<std::chrono::steady_clock::time_point> kill_at = {}, condemned_at = {};
};

class KeeperLoop {
 public:
  KeeperLoop(OwnedFd socket, KeeperRecord& record, std::uint32_t nonce,
             const ProgramPolicy& policy);
  void run();

 private:
  void watch(int fd, std::uint64_t key);
  int patience() const;
  void hear_server();
  void spawn(keeper_wire::Exec call, std::array<OwnedFd, 3> fds);
  void start_fork_server(keeper_wire::Exec call, std::array<OwnedFd, 3> fds, int ruleset);
  void ask_for_child(const keeper_wire::Exec& call, std::array<OwnedFd, 3> fds);
  void hear_fork_server();
  void is_born(const ForkServer::Born& born);
  void fork_server_ended();
  void refuse(std::uint64_t op, std::string why);
  void hear_report(std::uint32_t key);
  void read_report(KeeperJob& job);
  void stop(std::uint64_t op, ChildProcesses::How how);
  void condemn(KeeperJob& job);
  void condemn_all();
  void forget_grace(KeeperJob& job);
  void hurry_guards(std::chrono::steady_clock::time_point now);
  bool sweep();
  bool reap();
  void guard_ended(KeeperJob& job, const siginfo_t& info);
  bool may_show_a_birth() const;
  bool strike_orphans();
  void finish(std::uint32_t key);

  struct Waiting {
    keeper_wire::Exec call;
    std::array<OwnedFd, 3> fds;
  };
  OwnedFd socket_, signals_, epoll_;
  KeeperRecord& record_;
  keeper_wire::Wire wire_;
  std::uint32_t nonce_;
  pid_t pid_ = ::getpid();
  ProgramTerms terms_;
  DirectoryWall wall_;
  ForkServer fork_server_;
  bool server_gone_ = false;
  bool sweep_due_ = false;
  bool blocked_ = false;
  std::chrono::steady_clock::time_point next_look_ = {}, list_read_ = {};
  std::size_t in_grace_ = 0;  // jobs with a time at which they will be killed
  std::size_t ending_ = 0;    // guards that were told to end their tree, and live
  std::deque<Waiting> waiting_;
  std::unordered_map<std::uint32_t, KeeperJob> jobs_;  // by the job number of the mark
  std::unordered_map<pid_t, std::uint32_t> guards_;
  std::vector<std::uint32_t> closing_;  // jobs whose guard is reaped
  // Orphans that came to us, so past a dead guard, in the order in which they were first seen.
  std::unordered_map<pid_t, std::uint64_t> orphans_;
  std::uint64_t orphans_seen_ = 0;
  std::vector<pid_t> children_;
};

}  // namespace quell
