#include "actors/effects/socket_watch.hpp"

#include <sys/epoll.h>

#include <array>
#include <cerrno>

#include "runtime/base/assert.hpp"

namespace quell {

SocketWatch::SocketWatch(boost::asio::io_context& io, OnReady on_ready)
    : epoll_(io), on_ready_(std::move(on_ready)) {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  QUELL_ASSERT(fd >= 0);
  epoll_.assign(fd);
  arm();
}

SocketWatch::~SocketWatch() = default;

void SocketWatch::want(int fd, bool read, bool write) {
  const std::uint32_t events = (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u);
  const auto found = wanted_.find(fd);
  epoll_event event{};
  event.events = events;
  if (events == 0) {
    if (found == wanted_.end()) return;
    wanted_.erase(found);
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, &event);
    return;
  }
  const bool fresh = found == wanted_.end();
  if (!fresh && found->second.events == events) return;
  Wanted& wanted = fresh ? wanted_[fd] : found->second;
  if (fresh) wanted.generation = ++generation_;
  wanted.events = events;
  event.data.u64 = std::uint64_t{wanted.generation} << 32 | static_cast<std::uint32_t>(fd);
  const int added =
      ::epoll_ctl(epoll_.native_handle(), fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  QUELL_ASSERT(added == 0);
}

void SocketWatch::arm() {
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& fault) {
                      if (alive.expired() || fault) return;
                      drain();
                    });
}

void SocketWatch::drain() {
  const std::weak_ptr<int> alive = alive_;
  std::array<epoll_event, 256>
      ready;  // a batch; the rest is found ready again, timers come between
  const int count =
      ::epoll_wait(epoll_.native_handle(), ready.data(), static_cast<int>(ready.size()), 0);
  QUELL_ASSERT(count >= 0 || errno == EINTR);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    const int fd = static_cast<int>(event.data.u64 & 0xffffffffu);
    const auto found = wanted_.find(fd);
    // An event before it in this batch may have closed the socket, and opened another under its
    // number.
    if (found == wanted_.end() || found->second.generation != event.data.u64 >> 32) continue;
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    on_ready_(fd, broken || (event.events & EPOLLIN) != 0,
              broken || (event.events & EPOLLOUT) != 0);
    if (alive.expired()) return;
  }
  arm();
}

}  // namespace quell
