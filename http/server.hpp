// Listens, reads requests, writes replies: one thread for all connections. Knows nothing of jobs;
// who answers is a function. Nothing of Beast or Asio shows here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/framing.hpp"
#include "http/message.hpp"
#include "runtime/clock.hpp"
#include "runtime/result.hpp"

namespace quell::http {

// A reply that goes on: server-sent events. All calls are thread-safe and may come late.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void send(std::string piece) = 0;
  virtual void close() = 0;
  virtual std::size_t unsent() const = 0;  // bytes that the reader has not taken yet
  virtual bool is_open() const = 0;
};

// Where the answer to one request goes. The first answer counts; one that never comes is a 500.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void respond(Response response) = 0;  // from any thread
  virtual std::shared_ptr<EventSink> stream(Response head) = 0;
};

struct ServerLimits {
  HeadLimits head;
  Millis header_time{10'000}, body_time{30'000}, idle_time{60'000}, write_time{30'000};
  std::size_t slowest_body = 1024;  // bytes a second, after the first five
  std::size_t connections = 0;      // 0: no limit
  std::size_t connections_per_address = 0;
  std::size_t stream_buffer = std::size_t{1} << 20;
};

// What every reply says besides: nothing here is a page, and no other page may show, keep or run
// it. A reply that is a page brings its own Content-Security-Policy.
inline constexpr std::string_view strict_policy =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
inline constexpr std::string_view safety_headers =
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";
inline constexpr std::string_view tls_headers = "Strict-Transport-Security: max-age=31536000\r\n";

struct ServerOptions {
  std::string listen = "127.0.0.1:8080";
  std::string certificate = {}, key = {};  // PEM files: then TLS 1.2 or later
  ServerLimits limits = {};
};

// The one thread of the server; whatever it runs must not block.
class Loop {
 public:
  virtual ~Loop() = default;
  virtual void post(std::function<void()> work) = 0;
  virtual void after(Millis delay, std::function<void()> work) = 0;
};

class Server : public Loop {
 public:
  using Handler = std::function<void(Request, std::shared_ptr<Responder>)>;
  using BodyLimit = std::function<std::size_t(const Request&)>;

  // Binds at once; serves from start() on.
  static Result<std::unique_ptr<Server>> bind(const ServerOptions& options);

  virtual void start(Handler handler, BodyLimit body_limit) = 0;
  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  virtual Result<void> reload_certificate() = 0;
  // Refuses new connections, ends idle ones, lets busy ones finish until the deadline. Blocks.
  virtual void drain(Millis deadline) = 0;
};

// The host of HOST:PORT names this machine only.
bool is_loopback(const std::string& listen);
bool split_address(const std::string& listen, std::string& host, std::uint16_t& port);

}  // namespace quell::http
