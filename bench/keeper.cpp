// What a program costs: from start to running, from stop to "nothing is left", and a thousand trees
// ended at once.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/effects/child_process.hpp"
#include "actors/effects/keeper.hpp"
#include "actors/effects/process_tree.hpp"

namespace {
using Steady = std::chrono::steady_clock;
using How = quell::ChildProcesses::How;

// Notes when each thing happened, and lets the main thread wait for a number of them.
class Tally {
 public:
  void add() {
    const std::lock_guard lock{mutex_};
    ++count_;
    changed_.notify_all();
  }
  void await(int count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

struct Sink : quell::ExecSink {
  Tally started, lines, closed;
  void on_started(int) override { started.add(); }
  void on_stdout_line(std::string) override { lines.add(); }
  void on_closed(quell::ExecEnd end) override {
    if (!end.reaped) std::abort();
    closed.add();
  }
};

double ms_since(Steady::time_point then) {
  return std::chrono::duration<double, std::milli>(Steady::now() - then).count();
}

void show(const char* name, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  fmt::print("{:44} p50 {:7.2f} ms   p99 {:7.2f} ms\n", name, times[times.size() / 2],
             times[times.size() * 99 / 100]);
}

quell::ExecCall shell(const std::string& script) {
  quell::ExecCall call;
  call.argv = {"sh", "-c", script};
  return call;
}

void one_by_one(quell::ChildProcesses& programs, int rounds) {
  std::vector<double> spawn, whole, stop;
  quell::ExecCall quick;
  quick.argv = {"/bin/true"};
  for (int i = 0; i < rounds; ++i) {
    auto sink = std::make_shared<Sink>();
    const auto then = Steady::now();
    programs.start(quick, sink);
    sink->started.await(1);
    spawn.push_back(ms_since(then));
    sink->closed.await(1);
    whole.push_back(ms_since(then));
  }
  for (int i = 0; i < rounds; ++i) {
    auto sink = std::make_shared<Sink>();
    const auto op = programs.start(shell("setsid sleep 999 & setsid sleep 999 & echo; wait"), sink);
    sink->lines.await(1);
    const auto then = Steady::now();
    programs.stop(op, How::kill);
    sink->closed.await(1);
    stop.push_back(ms_since(then));
  }
  show("start -> runs (/bin/true)", spawn);
  show("start -> closed (/bin/true)", whole);
  show("stop -> closed (sh and two setsid sleeps)", stop);
}

void many(quell::ChildProcesses& programs, const quell::Keeper& keeper, int count) {
  auto sink = std::make_shared<Sink>();
  std::vector<quell::ChildProcesses::OpId> ops;
  auto then = Steady::now();
  for (int i = 0; i < count; ++i) {
    ops.push_back(programs.start(shell("setsid sleep 999 & setsid sleep 999 & echo; wait"), sink));
  }
  sink->lines.await(count);
  fmt::print("{} trees of 3 processes: all run after      {:7.0f} ms\n", count, ms_since(then));
  then = Steady::now();
  for (const auto op : ops) programs.stop(op, How::kill);
  sink->closed.await(count);
  const double gone = ms_since(then);
  std::vector<pid_t> left;
  quell::process_tree::children_of(keeper.pid(), left);
  fmt::print("{} trees of 3 processes: all gone after     {:7.0f} ms, {} zombies\n", count, gone,
             left.size());
}
}  // namespace

int main() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::string folder = (std::filesystem::temp_directory_path() / "quell-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  {
    auto keeper = quell::Keeper::fork_before_threads(folder);
    if (!keeper.ok()) return 1;
    boost::asio::io_context io;
    quell::ChildProcesses programs{io, *keeper};
    std::thread thread{[&] { io.run(); }};
    one_by_one(programs, 300);
    many(programs, *keeper, 1000);
    programs.shutdown();
    thread.join();
  }
  std::filesystem::remove_all(folder);
}
