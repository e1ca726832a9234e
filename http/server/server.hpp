// Listens, reads requests, writes replies: one thread for all connections. Knows nothing of jobs;
// who answers is a function. Nothing of Beast or Asio shows here.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/server/framing.hpp"
#include "http/server/message.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"
#include "runtime/settings/setting_types.hpp"

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
  Millis header_time{10'000};
  Millis body_time = setting_default::request_timeout, write_time = body_time;
  Millis idle_time = setting_default::idle_timeout;
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
  std::string listen = std::string(setting_default::listen);
  std::string certificate = {}, key = {};  // PEM files: then TLS 1.2 or later
  ServerLimits limits = {};
  // The loop has thrown, which is a fault of ours; it goes on with the next event if this returns.
  // Empty: it is not caught.
  std::function<void(const std::exception_ptr&)> on_fault = {};
};

// What is read behind a head: so many bytes. A stranger's longer body is not even begun: the
// request goes to its handler without it, to be refused, and the connection ends.
struct BodyRuling {
  std::size_t limit = 0;
  bool is_of_a_stranger = false;
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
  using BodyGate = std::function<BodyRuling(const Request&)>;

  // Binds at once; serves from start() on.
  static Result<std::unique_ptr<Server>> bind(const ServerOptions& options);

  virtual void start(Handler handler, BodyGate body_gate) = 0;
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
