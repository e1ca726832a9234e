// A connection that sends what it is told, byte by byte if need be: clients that behave would hide
// what the server does with those that do not.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace quell::http {

class RawSocket {
 public:
  explicit RawSocket(std::uint16_t port, int timeout_s = 10) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{timeout_s, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    open_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;
  ~RawSocket() { close(fd_); }

  bool is_open() const { return open_; }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  // Until `end` was seen, the peer closed, or the time was up.
  std::string read_until(std::string_view end) {
    while (seen_.find(end) == std::string::npos)
      if (!more()) break;
    const std::size_t at = seen_.find(end);
    const std::size_t cut = at == std::string::npos ? seen_.size() : at + end.size();
    std::string out = seen_.substr(0, cut);
    seen_.erase(0, cut);
    return out;
  }
  // Everything up to the end of the connection; `closed` says whether it came.
  std::string read_all(bool& closed) {
    while (more()) continue;
    closed = ended_;
    return std::exchange(seen_, {});
  }

 private:
  bool more() {
    std::array<char, 65536> piece;
    const ssize_t n = recv(fd_, piece.data(), piece.size(), 0);
    if (n == 0 || (n < 0 && errno == ECONNRESET)) ended_ = true;
    if (n <= 0) return false;
    seen_.append(piece.data(), static_cast<std::size_t>(n));
    return true;
  }

  int fd_ = -1;
  bool open_ = false, ended_ = false;
  std::string seen_;
};

}  // namespace quell::http
