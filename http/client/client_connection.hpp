// One outgoing connection, plain or TLS, on which each step has a time limit. Private to the
// client.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <memory>
#include <optional>
#include <string>

#include "http/client/server_url.hpp"
#include "runtime/base/clock.hpp"

namespace quell::http {

class ClientConnection {
 public:
  using Fault = boost::system::error_code;

  static Result<std::unique_ptr<ClientConnection>> open(const ServerUrl& server, Millis timeout,
                                                        const std::string& ca_file);

  // Runs one step to its end or its time limit: `start(stream, buffer, done)` begins an
  // asynchronous operation of Beast or Asio that calls `done`. Only asynchronous ones have a limit.
  template <class Start>
  Fault run(Start&& start) {
    return tls_ ? run_on(*tls_, start) : run_on(*plain_, start);
  }

 private:
  explicit ClientConnection(Millis timeout) : timeout_(timeout) {}
  Result<void> connect(const ServerUrl& server);
  Result<void> start_tls(const ServerUrl& server, const std::string& ca_file);

  template <class Stream, class Start>
  Fault run_on(Stream& stream, Start& start) {
    Fault fault;
    boost::beast::get_lowest_layer(stream).expires_after(timeout_);
    start(stream, buffer_, [&fault](Fault end, auto&&...) { fault = end; });
    io_.restart();
    io_.run();
    return fault;
  }

  const Millis timeout_;
  boost::asio::io_context io_{1};
  std::optional<boost::asio::ssl::context> trust_;
  std::unique_ptr<boost::beast::tcp_stream> plain_;
  std::unique_ptr<boost::beast::ssl_stream<boost::beast::tcp_stream>> tls_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace quell::http
