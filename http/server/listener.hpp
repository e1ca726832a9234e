// A listening socket and its loop: one connection after the other, also when descriptors have run
// out for a while. For each server of ours, whatever it speaks.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"

namespace quell::http {

class TcpListener {
 public:
  using Admit = std::function<void(boost::asio::ip::tcp::socket)>;

  explicit TcpListener(boost::asio::io_context& io) : acceptor_(io), pause_(io) {}

  // Binds HOST:PORT. `option` is how it was said, for the complaint.
  Result<void> open(const std::string& address, std::string_view option);
  bool is_open() const { return acceptor_.is_open(); }
  std::uint16_t port() const;  // 0: it is not open

  // On the thread of the context from here on.
  void start(Admit admit);
  void close();

 private:
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  Admit admit_;
};

// `work` in so long, unless the context ends before.
void run_after(boost::asio::io_context& io, Millis delay, std::function<void()> work);

}  // namespace quell::http
