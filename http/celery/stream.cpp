#include "http/celery/stream.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace quell::http::celery {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

class PlainStream final : public Stream {
 public:
  explicit PlainStream(tcp::socket socket) : socket_(std::move(socket)) {}
  void shake_hands(std::function<void(boost::system::error_code)> then) override { then({}); }
  void read(asio::mutable_buffer into, Then then) override {
    socket_.async_read_some(into, std::move(then));
  }
  void write(const std::string& bytes, Then then) override {
    asio::async_write(socket_, asio::buffer(bytes), std::move(then));
  }
  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  tcp::socket socket_;
};

class TlsStream final : public Stream {
 public:
  TlsStream(tcp::socket socket, std::shared_ptr<asio::ssl::context> tls)
      : tls_(std::move(tls)), stream_(std::move(socket), *tls_) {}
  void shake_hands(std::function<void(boost::system::error_code)> then) override {
    stream_.async_handshake(asio::ssl::stream_base::server, std::move(then));
  }
  void read(asio::mutable_buffer into, Then then) override {
    stream_.async_read_some(into, std::move(then));
  }
  void write(const std::string& bytes, Then then) override {
    asio::async_write(stream_, asio::buffer(bytes), std::move(then));
  }
  void close() override {
    boost::system::error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  std::shared_ptr<asio::ssl::context> tls_;
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Stream> make_stream(tcp::socket socket,
                                    const std::shared_ptr<asio::ssl::context>& tls) {
  if (tls) return std::make_unique<TlsStream>(std::move(socket), tls);
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace quell::http::celery
