// One connection's bytes, plain or over TLS. Private to the door.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>

namespace quell::http::celery {

class Stream {
 public:
  using Then = std::function<void(boost::system::error_code, std::size_t)>;
  virtual ~Stream() = default;
  virtual void shake_hands(std::function<void(boost::system::error_code)> then) = 0;
  virtual void read(boost::asio::mutable_buffer into, Then then) = 0;
  virtual void write(const std::string& bytes, Then then) = 0;  // they must stay until `then`
  virtual void close() = 0;
};

// `tls` may be null: plain.
std::unique_ptr<Stream> make_stream(boost::asio::ip::tcp::socket socket,
                                    const std::shared_ptr<boost::asio::ssl::context>& tls);

}  // namespace quell::http::celery
