// libcurl and c-ares own their sockets and only say what they wait for. This watches such sockets
// for them: one level-triggered epoll set, itself watched by Asio, so that no object per socket has
// to live and die in step with a library's idea of it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

namespace quell {

class SocketWatch {
 public:
  // `on_ready` may call want() and may destroy this object.
  using OnReady = std::function<void(int fd, bool readable, bool writable)>;
  SocketWatch(boost::asio::io_context& io, OnReady on_ready);
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  void want(int fd, bool read, bool write);  // neither: forget the socket, before it is closed

 private:
  struct Wanted {
    std::uint32_t events = 0;
    std::uint32_t generation = 0;  // tells a socket from its successor with the same number
  };
  void arm();
  void drain();

  boost::asio::posix::stream_descriptor epoll_;
  OnReady on_ready_;
  std::unordered_map<int, Wanted> wanted_;
  std::uint32_t generation_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace quell
