// A task that runs in a process which the fork server forks for one attempt: what the process is
// asked to do, and what it says of itself.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "runtime/celery/attempts.hpp"
#include "runtime/task/task.hpp"

namespace quell {

// The tasks of one name that may begin: each has a time of its own, as far apart as the rate says.
// Of this node, as Celery's is of each worker.
class TaskRates {
 public:
  void set(const std::string& task, double per_second);
  // How long the job must wait for its time; none: the task has no rate, or the time has come.
  std::optional<Millis> wait_of(const std::string& task, const JobId& job, Instant now);
  bool knows(const std::string& task) const;

 private:
  struct Rate {
    Millis apart{0};
    Instant next = {};
    std::map<JobId, Instant> given = {};
  };
  mutable std::mutex mutex_;
  std::map<std::string, Rate> rates_;
};

struct ForkedApp {
  std::string celery = {};   // MODULE:APP
  std::string modules = {};  // with functions of `quell.task`, by commas
  std::string python = "/usr/bin/python3";
  std::string directory = {};  // where they are imported from
  Headers environment = {};    // of the server, which is how its owner configures the app
  int forks_ahead = 0;
  std::shared_ptr<celery::Attempts> attempts;
  std::shared_ptr<TaskRates> rates = std::make_shared<TaskRates>();
};
using ForkedAppPtr = std::shared_ptr<const ForkedApp>;

// What the task's process says of itself.
struct ForkedWords {
  std::string state, error, code, result;
  std::optional<double> limit, rate, after;  // seconds, starts a second, seconds
  bool retries = false;                      // the failure is worth another attempt
  bool rejects = false;                      // Celery's reject_on_worker_lost
};

struct Forked {
  ExecReply reply;
  ForkedWords words;
  std::string not_forked = {};  // why there was no process; ""
  // "" when the process has said how it came to its end.
  std::string how_it_was_lost() const;
};

// `spec` is what the process is told; `body` names which part of the fork server runs it.
Async<Forked> run_forked(JobContext job, ForkedAppPtr app, std::string body, nlohmann::json spec);

// A pair in the environment of a request that asks for a child of the fork server. Its value is of
// this process alone, so that no job of another kind can ask for one; it is not passed on.
inline constexpr const char* fork_server_variable = "QUELL_FORK_SERVER";
const std::string& fork_server_word();

// Python that the program carries: the fork server, which also checks an app.
const char* fork_server_source();

}  // namespace quell
