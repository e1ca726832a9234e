// One connection: head, body, answer, and again. Private to the server; the only place that Beast
// is used besides it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>

#include "http/server/server.hpp"

namespace quell::http {

using SteadyTime = std::chrono::steady_clock::time_point;

// What all sessions of a server share; touched on the loop only.
struct ConnectionHost {
  boost::asio::io_context* io = nullptr;
  ServerLimits limits;
  Server::Handler handler;
  Server::BodyGate body_gate;
  bool draining = false;
  std::atomic<bool> closed{false};  // the loop has ended: answers go nowhere
  std::string date;                 // of this second, as HTTP writes it
  std::string safety;               // header lines of every reply
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void start() = 0;
  virtual void check_time(SteadyTime now) = 0;  // ends what is late
  virtual void drain() = 0;                     // ends when idle
  virtual void abort() = 0;
  virtual bool is_over() const = 0;
  virtual const std::string& remote() const = 0;
};

// `tls` may be null: plain.
std::shared_ptr<Connection> make_session(boost::asio::ip::tcp::socket socket, ConnectionHost& home,
                                         boost::asio::ssl::context* tls);

}  // namespace quell::http
