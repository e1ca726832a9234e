// What the server and the keeper say to each other: frames over a stream socket pair, file
// descriptors beside them.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "actors/effects/child_process.hpp"
#include "actors/effects/owned_fd.hpp"

namespace quell::keeper_wire {

struct Exec {  // server to keeper; with the descriptors stdin (if any), stdout, stderr
  std::uint64_t op = 0;
  bool with_stdin = false;
  ExecCall call = {};  // without stdin_data and max_output, which stay in the server
};
struct Stop {  // server to keeper
  std::uint64_t op = 0;
  ChildProcesses::How how = ChildProcesses::How::kill;
};
struct Started {  // keeper to server, once the program itself runs
  std::uint64_t op = 0;
  int pid = 0;
};
struct Ended {  // keeper to server, once no process of the op is left
  std::uint64_t op = 0;
  ExecEnd::Kind kind = ExecEnd::Kind::failed;
  int code = 0;
  std::string fault = {};  // of `failed`
};
// The fault of a child that a fork server was not asked for, as it is no more: nothing was begun,
// and another fork server can be asked.
inline constexpr const char* no_fork_server = "the fork server does not run";
struct Reload {};  // server to keeper: the fork server is to read its code anew
using Message = std::variant<Exec, Stop, Started, Ended, Reload>;

// Never blocks: what does not fit waits in `out_`, what is incomplete waits in `in_`.
class Wire {
 public:
  explicit Wire(int socket) : socket_(socket) {}

  void put(const Message& message, std::vector<OwnedFd> fds = {});
  enum class Flow { done, blocked, gone };
  Flow flush();  // blocked: call again when the socket is writable
  Flow fill();   // done: all that is there was read; gone: the other side has closed
  std::optional<Message> next();
  OwnedFd next_fd();  // of the message just taken, in order

 private:
  struct Segment {
    std::string bytes;
    std::size_t sent = 0;
    std::vector<OwnedFd> fds = {};  // travel with the first byte
  };
  int socket_;
  std::deque<Segment> out_;
  std::string in_;
  std::size_t in_taken_ = 0;
  std::deque<OwnedFd> in_fds_;
};

}  // namespace quell::keeper_wire
