// What tests of process trees are told with: a client of the keeper, the story of one program, a
// look into /proc.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actors/effects/child_process.hpp"

// A bound against hanging, never a measure.
inline constexpr auto patience = std::chrono::seconds(30);

class Story : public quell::ExecSink {
 public:
  void on_started(int pid) override {
    note([&] { started_ = pid; });
  }
  void on_stdout_line(std::string line) override {
    note([&] { lines_.push_back(line); });
  }
  void on_stderr(std::string chunk) override {
    note([&] { err_ += chunk; });
  }
  void on_closed(quell::ExecEnd end) override {
    note([&] { ++closes_, end_ = std::move(end); });
  }

  int started() {
    return await([&] { return started_ != 0 || closes_ > 0; }, started_);
  }
  quell::ExecEnd closed() {
    return await([&] { return closes_ > 0; }, end_);
  }
  // Waits for that many; what a program prints is the event that says how far it is.
  std::vector<std::string> lines(std::size_t count) {
    return await([&] { return lines_.size() >= count || closes_ > 0; }, lines_);
  }
  int closes() {
    return await([] { return true; }, closes_);
  }
  std::string err() {
    return await([] { return true; }, err_);
  }

 private:
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock{mutex_};
    change();
    changed_.notify_all();
  }
  template <class Value>
  Value await(const std::function<bool()>& true_now, Value& value) {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, patience, true_now)) ADD_FAILURE() << "waited in vain";
    return value;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  int started_ = 0;
  int closes_ = 0;
  std::vector<std::string> lines_;
  std::string err_;
  quell::ExecEnd end_;
};

// An IO thread with a client of the keeper.
class Programs {
 public:
  using Id = quell::ChildProcesses::OpId;
  explicit Programs(quell::Keeper& keeper, std::function<void()> keeper_died = {})
      : client_(io_, keeper, std::move(keeper_died)), thread_([this] { io_.run(); }) {}
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;
  ~Programs() {
    client_.shutdown();
    thread_.join();
  }

  std::shared_ptr<Story> run(quell::ExecCall call) {
    auto story = std::make_shared<Story>();
    last_ = client_.start(std::move(call), story);
    return story;
  }
  std::shared_ptr<Story> run(std::vector<std::string> argv) {
    quell::ExecCall call;
    call.argv = std::move(argv);
    return run(std::move(call));
  }
  std::shared_ptr<Story> shell(const std::string& script) { return run({"sh", "-c", script}); }
  void stop_last(quell::ChildProcesses::How how) { client_.stop(last_, how); }
  Id last() const { return last_; }
  quell::ChildProcesses& client() { return client_; }

 private:
  boost::asio::io_context io_;
  quell::ChildProcesses client_;
  std::thread thread_;
  Id last_ = 0;
};

// A number of seconds to sleep that nobody else on the machine has in a command line.
std::string unique_seconds();
// Processes, whose command line holds the marker (so: not zombies).
std::vector<pid_t> processes_with(const std::string& marker);
// The keeper of the tests has no child, not even a zombie.
bool keeper_is_alone();
// Looks again and again until it is so; false when patience ends.
bool soon(const std::function<bool()>& true_now);
