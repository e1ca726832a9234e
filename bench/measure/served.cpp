#include "bench/measure/served.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "bench/measure/run.hpp"
#include "bench/measure/stopwatch.hpp"

namespace quell::bench {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    fail("no free port");
  close(fd);
  return ntohs(address.sin_port);
}

pid_t spawn(const std::vector<std::string>& command, const std::string& log) {
  std::vector<char*> arguments;
  for (const std::string& one : command) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid(), child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, 0);
  dup2(file, 1);
  dup2(file, 2);
  execv(arguments[0], arguments.data());
  _exit(127);
}

// One connection of the load: sends, reads until the body is whole, sends again.
class Connection {
 public:
  Connection(int port, const std::string& request) : request_(request) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      fail("the server takes no connection");
    const int yes = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }

  void send_one() {
    sent_ = Stopwatch();
    for (std::size_t at = 0; at < request_.size();) {
      const ssize_t n = send(fd_, request_.data() + at, request_.size() - at, MSG_NOSIGNAL);
      if (n <= 0) fail("the server closed a connection");
      at += static_cast<std::size_t>(n);
    }
  }

  // True when the reply is complete; its time is in ms().
  bool read_some() {
    char piece[65'536];
    const ssize_t n = recv(fd_, piece, sizeof(piece), 0);
    if (n <= 0) fail("the server closed a connection");
    reply_.append(piece, static_cast<std::size_t>(n));
    const auto head = reply_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    if (!reply_.starts_with("HTTP/1.1 2")) fail("a reply is " + reply_.substr(0, 300));
    if (reply_.size() < head + 4 + body_length(head)) return false;
    ms_ = sent_.ms();
    reply_.clear();
    return true;
  }
  double ms() const { return ms_; }

 private:
  std::size_t body_length(std::size_t head) const {
    for (const char* name : {"\r\nContent-Length: ", "\r\ncontent-length: "})
      if (const auto at = reply_.find(name); at < head)
        return std::stoul(reply_.substr(at + std::string_view(name).size(), 20));
    return 0;
  }

  const std::string& request_;
  int fd_ = -1;
  Stopwatch sent_;
  double ms_ = 0;
  std::string reply_;
};

}  // namespace

Served::Served(const std::string& store, const std::string& data_dir,
               std::vector<std::string> flags, const std::string& verb)
    : data_dir_(data_dir), token_dir_(data_dir), port_(free_port()) {
  const char* other = std::getenv("BENCH_BINARY");
  std::vector<std::string> command{other != nullptr ? other : QUELL_BIN_DIR "/quell",
                                   verb,
                                   "--store",
                                   store,
                                   "--data-dir",
                                   data_dir_,
                                   "--listen",
                                   "127.0.0.1:" + std::to_string(port_)};
  command.insert(command.end(), flags.begin(), flags.end());
  const std::string log = data_dir_ + ".log";
  const Stopwatch start;
  process_ = spawn(command, log);
  // The connection of the probe is refused until the port is open; then one try is enough.
  for (;;) {
    http::Client probe(http::ClientOptions{"http://127.0.0.1:" + std::to_string(port_), {}, {}});
    const auto reply = probe.send("GET", "/readyz");
    if (reply && reply->status == 200) break;
    if (waitpid(process_, nullptr, WNOHANG) == process_ || start.seconds() > 120)
      fail("the server does not start, see " + log);
    usleep(500);
  }
  to_ready_ = start.seconds();
}

Served::~Served() {
  if (process_ == 0) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
}

void Served::kill_hard() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = 0;
}

std::string Served::token() {
  std::ifstream file(token_dir_ + "/admin.token");
  std::string token;
  file >> token;
  return token;
}

std::string Served::call(const std::string& method, const std::string& target,
                         const std::string& body) {
  if (!client_)
    client_ = std::make_unique<http::Client>(
        http::ClientOptions{"http://127.0.0.1:" + std::to_string(port_), token(), {}});
  const auto reply = client_->send(method, target, body);
  if (!reply) fail(to_string(reply.error()));
  if (reply->status / 100 != 2) fail(method + " " + target + ": " + reply->body.substr(0, 300));
  return reply->body;
}

std::vector<double> Served::load(const std::string& method, const std::string& target,
                                 const std::string& body, int connections, long total) {
  const std::string request =
      method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "Authorization: Bearer " +
      token() + "\r\n" +
      "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  std::vector<std::unique_ptr<Connection>> open;
  std::vector<pollfd> waits;
  for (int i = 0; i < connections; ++i) {
    open.push_back(std::make_unique<Connection>(port_, request));
    waits.push_back({open.back()->fd(), POLLIN, 0});
  }
  std::vector<double> times;
  long sent = 0;
  for (; sent < std::min<long>(connections, total); ++sent)
    open[static_cast<std::size_t>(sent)]->send_one();
  while (static_cast<long>(times.size()) < total) {
    poll(waits.data(), waits.size(), -1);
    for (std::size_t i = 0; i < waits.size(); ++i) {
      if (waits[i].revents == 0 || !open[i]->read_some()) continue;
      times.push_back(open[i]->ms());
      if (sent < total) {
        ++sent;
        open[i]->send_one();
      }
    }
  }
  return times;
}

}  // namespace quell::bench
