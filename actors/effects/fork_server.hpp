// The keeper's side of a fork server: a program that has imported what a job's code needs, and
// forks a child when it is asked to. The children are the keeper's own: it reads nothing from the
// fork server that it does not check against its list of children.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/effects/owned_fd.hpp"

namespace quell {

class ForkServer {
 public:
  using Monotonic = std::chrono::steady_clock;
  struct Born {
    std::uint32_t key = 0;
    pid_t pid = -1;
  };

  bool runs() const { return pid_ != 0; }
  pid_t pid() const { return pid_; }
  std::uint32_t key() const { return key_; }
  int socket() const { return socket_.get(); }
  void began(pid_t pid, std::uint32_t key, OwnedFd socket);
  struct Unborn {
    std::vector<std::uint32_t> asked;      // and not answered: a child may have begun
    std::vector<std::uint32_t> not_asked;  // nothing has begun
  };
  // It has ended: the keys of all that it was wanted for.
  Unborn ended();

  // Asks for a child with these as its standard input, output and errors; kept until it is ready.
  void ask(std::uint32_t key, std::array<OwnedFd, 3> fds);
  // Has it read its code anew, if that can be read: no wish is lost, and what runs goes on.
  void reload();
  bool take_back(std::uint32_t key);  // true: it was not asked yet
  std::vector<Born> hear();

  // Children that the keeper may find in its list without knowing whose they are.
  bool has_births() const { return !births_.empty(); }
  bool is_late(Monotonic::time_point now) const;
  void note_end(const siginfo_t& info);  // of a child that nobody knows
  std::optional<siginfo_t> early_end(pid_t pid);

 private:
  struct Wish {
    std::uint32_t key;
    std::array<OwnedFd, 3> fds;
  };
  bool send(const Wish& wish);
  void send_wishes();
  void say(std::uint32_t what);

  pid_t pid_ = 0;
  std::uint32_t key_ = 0;
  OwnedFd socket_;
  bool is_ready_ = false;
  std::deque<Wish> wishes_;
  std::unordered_set<std::uint32_t> births_;
  Monotonic::time_point last_answer_ = {};
  std::unordered_map<pid_t, siginfo_t> early_;
};

}  // namespace quell
