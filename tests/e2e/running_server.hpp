// The real program in a directory of its own, as a user starts it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "http/client/client.hpp"
#include "tests/places.hpp"

namespace quell::e2e {

using Json = nlohmann::json;

inline const std::string jobs = "/api/v1/jobs";

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
  const std::string program = places::programs() + "/quell";
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

// What the server tells its service manager: the event to wait for when it starts.
class Notices {
 public:
  ~Notices() { close(fd_); }
  void open(const std::string& path) {
    fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  // False when the process ends first.
  bool wait_for(const std::string& notice, pid_t pid) {
    const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    bool found = false;
    for (bool ended = false; !found && !ended;) {
      pollfd both[] = {{fd_, POLLIN, 0}, {process, POLLIN, 0}};
      if (poll(both, 2, 60'000) <= 0) break;
      ended = both[1].revents != 0;
      if (both[0].revents == 0) continue;
      char text[4096];
      const ssize_t n = recv(fd_, text, sizeof text, 0);
      found = n > 0 && std::string_view{text, static_cast<std::size_t>(n)}.find(notice) !=
                           std::string_view::npos;
    }
    close(process);
    return found;
  }

 private:
  int fd_ = -1;
};

class RunningServer {
 public:
  explicit RunningServer(std::vector<std::string> flags = {"--pool", "default=20"})
      : flags_(std::move(flags)) {
    char pattern[] = "/tmp/quell-e2e-XXXXXX";
    dir_ = mkdtemp(pattern);
    std::filesystem::create_directories(dir_ + "/client");
    notices_.open(dir_ + "/notices");
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
    setenv("NOTIFY_SOCKET", (dir_ + "/notices").c_str(), 1);
    pid_ = start_program(args, dir_);
    unsetenv("NOTIFY_SOCKET");
    if (!notices_.wait_for("READY=1", pid_)) {
      ADD_FAILURE() << "the server did not start: " << text_of(dir_ + "/err");
      return;
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

  // Waits until the job has this status; the server tells, so nothing is asked twice in vain.
  bool reaches(const std::string& id, const std::string& status) {
    const std::string target = "/api/v1/jobs/" + id + "?timeout=30&wait_for=" + status;
    return ask("GET", target).body.value("status", "") == status;
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
  Notices notices_;
  pid_t pid_ = -1;
  std::unique_ptr<http::Client> client_;
};

}  // namespace quell::e2e
