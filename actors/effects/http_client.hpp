// The outbound HTTP of jobs, built around one demand: an aborted call is *over* before anyone is
// told so. Its socket is closed, its name lookup forgotten, and nothing it was about to do will
// start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"
#include "runtime/outbound/address_filter.hpp"
#include "runtime/settings/setting_types.hpp"

namespace boost::asio {
class io_context;
}

namespace quell {

class Resolver;

struct HttpCall {  // owns everything it touches
  std::string method = "GET", url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Millis connect_timeout{10'000};  // name, TCP and TLS together
  Millis total_timeout{600'000};   // from start() to the last byte
  Millis idle_timeout{60'000};     // no byte in either direction for so long; a pause is not idle
  std::size_t max_body = setting_default::response_max;  // bytes of the reply after decompression
  std::size_t max_head = std::size_t{64} << 10;
  bool stream = false;  // true: the body arrives by on_chunk; false: whole in HttpEnd
};

struct HttpHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>>
      headers;  // as received; the body is decompressed
};

// refused: nothing was sent, the call itself is not allowed. failed: the world's fault, or a limit.
enum class HttpEndKind { done, aborted, failed, refused };

struct HttpEnd {
  HttpEndKind kind = HttpEndKind::failed;
  std::optional<Error> error;  // of failed and refused
  HttpHead head;               // status 0: no reply was seen
  std::string body;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  bool connected = false;  // the connection was ready: the request may have reached the other side
};

// Called on the IO thread, never from within a call into HttpClient. Must not throw.
class HttpSink {
 public:
  virtual ~HttpSink() = default;
  virtual void on_permit() {}  // name resolved, address allowed, about to connect
  virtual void on_head(HttpHead) {}
  virtual void on_chunk(std::string) {}
  virtual void on_closed(HttpEnd) = 0;  // exactly once, the last call, after the socket was closed
};

struct HttpClientSettings {
  std::vector<Cidr> allow;              // blocks that may be called although they are not public
  std::size_t max_concurrent = 20'000;  // one more answers `overloaded` at once
  std::string ca_file;                  // empty: the system's
  std::function<bool()> may_connect;    // asked before each socket and each request; empty: always
  std::shared_ptr<Resolver> resolver;   // empty: c-ares on the same loop
  std::vector<IpAddress> own = {};      // this host's public ones, which no wide block opens
};

// One connection per call, HTTP/1.1, redirects not followed. Every method may be called from any
// thread. The io_context must be run by one thread only and outlive the client; after the client's
// destruction it must still run until open() calls have answered.
class HttpClient {
 public:
  using OpId = std::uint64_t;

  HttpClient(boost::asio::io_context& io, HttpClientSettings settings);
  ~HttpClient();  // as stop()
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  OpId start(HttpCall call, std::shared_ptr<HttpSink> sink);
  void abort(OpId op);  // an op that has ended is no error
  void pause(OpId op);  // a few chunks that are already read may still arrive
  void resume(OpId op);
  std::size_t open() const;  // calls whose on_closed has not been called
  void stop();               // aborts all and refuses whatever comes later

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace quell
