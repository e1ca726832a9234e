// What a program costs: from start to running, from stop to "nothing is left", and a thousand trees
// ended at once.
//   bench_keeper [--programs 300] [--trees 1000] [--walls 0|1]
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/effects/child_process.hpp"
#include "actors/effects/keeper.hpp"
#include "actors/effects/process_tree.hpp"
#include "bench/measure/run.hpp"
#include "bench/measure/store_under_test.hpp"

namespace {
using Steady = std::chrono::steady_clock;
using How = quell::ChildProcesses::How;
using quell::bench::Better;
using quell::bench::Run;

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

// As a server has it: with --walls 0 without what closes a program in.
quell::ProgramPolicy policy_of(const Run& run, const std::string& folder) {
  quell::ProgramPolicy policy;
  policy.enabled = true;
  policy.walled = run.number("walls", 1, 1) != 0;
  policy.hidden = {folder};
  if (policy.walled && ::geteuid() == 0) policy.user = quell::find_program_user("nobody").value();
  return policy;
}

double ms_since(Steady::time_point then) {
  return std::chrono::duration<double, std::milli>(Steady::now() - then).count();
}

void show(const Run& run, const std::string& name, const std::vector<double>& times) {
  run.figure(name + " p50", quell::bench::percentile(times, 0.5), "ms", Better::lower);
  run.figure(name + " p99", quell::bench::percentile(times, 0.99), "ms", Better::lower);
}

quell::ExecCall shell(const std::string& script) {
  quell::ExecCall call;
  call.argv = {"sh", "-c", script};
  return call;
}

void one_by_one(const Run& run, quell::ChildProcesses& programs, long rounds) {
  std::vector<double> spawn, whole, stop;
  quell::ExecCall quick;
  quick.argv = {"/bin/true"};
  for (long i = 0; i < rounds; ++i) {
    auto sink = std::make_shared<Sink>();
    const auto then = Steady::now();
    programs.start(quick, sink);
    sink->started.await(1);
    spawn.push_back(ms_since(then));
    sink->closed.await(1);
    whole.push_back(ms_since(then));
  }
  for (long i = 0; i < rounds; ++i) {
    auto sink = std::make_shared<Sink>();
    const auto op = programs.start(shell("setsid sleep 999 & setsid sleep 999 & echo; wait"), sink);
    sink->lines.await(1);
    const auto then = Steady::now();
    programs.stop(op, How::kill);
    sink->closed.await(1);
    stop.push_back(ms_since(then));
  }
  show(run, "start to running, /bin/true", spawn);
  show(run, "start to closed, /bin/true", whole);
  show(run, "stop to closed, sh and two setsid sleeps", stop);
}

void many(const Run& run, quell::ChildProcesses& programs, const quell::Keeper& keeper, int count) {
  auto sink = std::make_shared<Sink>();
  std::vector<quell::ChildProcesses::OpId> ops;
  auto then = Steady::now();
  for (int i = 0; i < count; ++i) {
    ops.push_back(programs.start(shell("setsid sleep 999 & setsid sleep 999 & echo; wait"), sink));
  }
  sink->lines.await(count);
  const std::string what = std::to_string(count) + " trees of 3 processes: ";
  run.figure(what + "all run", ms_since(then), "ms", Better::lower);
  then = Steady::now();
  for (const auto op : ops) programs.stop(op, How::kill);
  sink->closed.await(count);
  const double gone = ms_since(then);
  std::vector<pid_t> left;
  quell::process_tree::children_of(keeper.pid(), left);
  run.figure(what + "all gone", gone, "ms", Better::lower);
  run.figure(what + "zombies", static_cast<double>(left.size()), "processes", Better::lower);
}
}  // namespace

int main(int argc, char** argv) {
  const Run run("keeper", argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const quell::bench::Scratch folder;
  auto keeper = quell::Keeper::fork_before_threads(folder.path(), policy_of(run, folder.path()));
  if (!keeper.ok()) return 1;
  boost::asio::io_context io;
  quell::ChildProcesses programs{io, *keeper};
  std::thread thread{[&] { io.run(); }};
  one_by_one(run, programs, run.number("programs", 300, 10));
  many(run, programs, *keeper, static_cast<int>(run.number("trees", 1'000, 20)));
  programs.shutdown();
  thread.join();
}
