// Runs programs for jobs without ever forking from the server: the client of the keeper, on one IO
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/error.hpp"

namespace boost::asio {
class io_context;
}

namespace quell {

class Keeper;

struct ExecCall {
  // What is started: a program, a fork server (there is one at most), or a child that it forks.
  enum class By : std::uint8_t { exec, as_fork_server, by_fork_server };
  By by = By::exec;
  std::vector<std::string> argv;                         // argv[0] is searched in the PATH of `env`
  std::vector<std::pair<std::string, std::string>> env;  // all of it: nothing is inherited
  std::string stdin_data;                                // the program reads it as a file
  std::string cwd;                                       // empty: the server's
  std::size_t max_output = 4u << 20;                     // of each tail in ExecEnd
  // 0: what the policy of the keeper says; never more than that.
  std::uint64_t rlimit_as = 0;
  std::uint64_t rlimit_cpu_s = 0;
  std::uint64_t rlimit_nofile = 0;
  std::uint64_t rlimit_nproc = 0;
};

struct ExecEnd {
  enum class Kind {
    exited,     // code: the exit code
    signalled,  // code: the signal, not sent by us
    killed,     // by stop(); code: the signal, 0 when the program left by itself within the grace
    failed,     // it never ran, or its keeper died: see error
  };
  Kind kind = Kind::failed;
  int code = 0;
  std::string out = {};  // tails of at most max_output bytes
  std::string err = {};
  std::optional<Error> error = {};
  bool reaped = false;  // no process of the job is left
};

// Called on the IO thread. on_closed comes exactly once, last, after every process of the tree is
// reaped; if the keeper has died, at once, and unreaped.
class ExecSink {
 public:
  virtual ~ExecSink() = default;
  virtual void on_started(int /*pid*/) {}
  virtual void on_stdout_line(std::string /*line*/) {}  // without its \n; cut into pieces of 64 KiB
  // The lines of one read have been told. False: no more is read until `pause(op, false)`.
  virtual bool wants_more() { return true; }
  virtual void on_stderr(std::string /*chunk*/) {}
  virtual void on_closed(ExecEnd end) = 0;
};

// Thread-safe by posting to the io_context, which one thread runs and which must outlive this
// object, as must the keeper. One client of a keeper at a time. A thousand open programs take 2,000
// descriptors.
class ChildProcesses {
 public:
  using OpId = std::uint64_t;
  enum class How : std::uint8_t {
    kill,       // SIGKILL to the whole tree at once
    terminate,  // SIGTERM to the process group; after 500 ms SIGKILL to the whole tree
  };

  // `keeper_died` is called once, on the IO thread, before the programs that are open close
  // unreaped.
  // `fork_server_says` gets each line that a fork server writes to its standard errors.
  ChildProcesses(boost::asio::io_context& io, Keeper& keeper,
                 std::function<void()> keeper_died = {},
                 std::function<void(const std::string&)> fork_server_says = {});
  ChildProcesses(const ChildProcesses&) = delete;
  ChildProcesses& operator=(const ChildProcesses&) = delete;
  ~ChildProcesses();

  OpId start(ExecCall call, std::shared_ptr<ExecSink> sink);
  void stop(OpId op, How how);       // of an op that has closed: nothing
  void pause(OpId op, bool paused);  // reads no more of its output: the program waits in its write
  void reload_fork_server();         // if there is one
  std::size_t open() const;          // started and not closed yet
  void shutdown();                   // kills all that is open; later starts are refused

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace quell
