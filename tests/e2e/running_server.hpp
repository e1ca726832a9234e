// The real program in a directory of its own, as a user starts it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "http/client.hpp"

namespace quell::e2e {

using Json = nlohmann::json;

struct ProgramEnd {
  int code = -1;
  std::string out, err;
};

inline std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Starts `quell ARGS…`; its output goes to files in `dir`.
inline pid_t start_program(const std::vector<std::string>& args, const std::string& dir,
                           const std::string& input = "/dev/null") {
  const std::string program = std::string{QUELL_BIN_DIR} + "/quell";
  const pid_t pid = fork();
  if (pid != 0) return pid;
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  const int in = open(input.c_str(), O_RDONLY);
  const int out = open((dir + "/out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err = open((dir + "/err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(in, 0);
  dup2(out, 1);
  dup2(err, 2);
  execv(program.c_str(), argv.data());
  _exit(127);
}

class RunningServer {
 public:
  explicit RunningServer(std::vector<std::string> flags = {"--pool", "default=20"})
      : flags_(std::move(flags)) {
    char pattern[] = "/tmp/quell-e2e-XXXXXX";
    dir_ = mkdtemp(pattern);
    std::filesystem::create_directories(dir_ + "/client");
    start();
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }

  void start() {
    std::filesystem::remove(data() + "/server.url");
    std::vector<std::string> args{"serve", "--data-dir", data(), "--listen", "127.0.0.1:0"};
    args.insert(args.end(), flags_.begin(), flags_.end());
    pid_ = start_program(args, dir_);
    for (int i = 0; i < 3000 && url().empty(); ++i) {
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
        ADD_FAILURE() << "the server did not start: " << text_of(dir_ + "/err");
        pid_ = -1;
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    client_ = std::make_unique<http::Client>(http::ClientOptions{url(), token()});
  }

  void kill_hard() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  // SIGTERM, and how the program ended.
  int stop() {
    kill(pid_, SIGTERM);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  std::string dir() const { return dir_; }
  std::string data() const { return dir_ + "/data"; }
  std::string url() const { return line_of(data() + "/server.url"); }
  std::string token() const { return line_of(data() + "/admin.token"); }
  std::string log() const { return text_of(dir_ + "/err"); }

  struct Reply {
    int status = 0;
    Json body;
    std::map<std::string, std::string> headers;
  };
  Reply ask(const std::string& method, const std::string& target, const Json& body = {}) {
    const auto reply = client_->send(method, target, body.is_null() ? "" : body.dump());
    if (!reply.ok()) {
      ADD_FAILURE() << method << ' ' << target << ": " << to_string(reply.error());
      return {};
    }
    return {reply.value().status, Json::parse(reply.value().body, nullptr, false),
            reply.value().headers};
  }

  std::string submit(const Json& job) {
    const Reply reply = ask("POST", "/api/v1/jobs", job);
    EXPECT_EQ(reply.status, 201) << reply.body;
    return reply.body.value("job_id", "");
  }

  // Waits until the job has this status.
  bool reaches(const std::string& id, const std::string& status) {
    for (int i = 0; i < 1000; ++i) {
      if (ask("GET", "/api/v1/jobs/" + id).body.value("status", "") == status) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return false;
  }

  // Runs a client verb against this server.
  ProgramEnd run(std::vector<std::string> args, const std::string& input = "/dev/null") {
    args.insert(args.end(), {"--data-dir", data()});
    const pid_t pid = start_program(args, dir_ + "/client", input);
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(dir_ + "/client/out"),
            text_of(dir_ + "/client/err")};
  }

 private:
  static std::string line_of(const std::string& path) {
    std::string text = text_of(path);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }

  std::vector<std::string> flags_;
  std::string dir_;
  pid_t pid_ = -1;
  std::unique_ptr<http::Client> client_;
};

}  // namespace quell::e2e
