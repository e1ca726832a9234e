#include "http/client/client_connection.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>

namespace quell::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

Error unreachable(const ServerUrl& server, const std::string& why) {
  return Error{ErrorCode::server_unreachable, server.host + ":" + server.port + ": " + why};
}

std::string sentence_of(const ClientConnection::Fault& fault) {
  return fault == boost::beast::error::timeout ? "no answer in time" : fault.message();
}

}  // namespace

Result<std::unique_ptr<ClientConnection>> ClientConnection::open(const ServerUrl& server,
                                                                 Millis timeout,
                                                                 const std::string& ca_file) {
  std::unique_ptr<ClientConnection> connection{new ClientConnection(timeout)};
  if (Result<void> connected = connection->connect(server); !connected) return connected.error();
  if (!server.tls) return connection;
  if (Result<void> started = connection->start_tls(server, ca_file); !started)
    return started.error();
  return connection;
}

Result<void> ClientConnection::connect(const ServerUrl& server) {
  plain_ = std::make_unique<boost::beast::tcp_stream>(io_);
  Fault fault;
  const auto found = tcp::resolver(io_).resolve(server.host, server.port, fault);
  if (fault) return unreachable(server, sentence_of(fault));
  fault = run([&](auto& stream, auto&, auto done) {
    boost::beast::get_lowest_layer(stream).async_connect(found, std::move(done));
  });
  if (fault) return unreachable(server, sentence_of(fault));
  plain_->socket().set_option(tcp::no_delay(true), fault);
  return {};
}

Result<void> ClientConnection::start_tls(const ServerUrl& server, const std::string& ca_file) {
  trust_.emplace(asio::ssl::context::tls_client);
  trust_->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  trust_->set_verify_mode(asio::ssl::verify_peer);
  // An address is checked against the certificate's addresses, a name against its names.
  trust_->set_verify_callback(asio::ssl::host_name_verification(server.host));
  Fault fault;
  if (ca_file.empty())
    trust_->set_default_verify_paths(fault);
  else
    trust_->load_verify_file(ca_file, fault);
  if (fault) return unreachable(server, "the certificates to trust cannot be read");
  tls_ = std::make_unique<boost::beast::ssl_stream<boost::beast::tcp_stream>>(std::move(*plain_),
                                                                              *trust_);
  SSL_set_tlsext_host_name(tls_->native_handle(), server.host.c_str());
  get_lowest_layer(*tls_).expires_after(timeout_);
  tls_->async_handshake(asio::ssl::stream_base::client, [&fault](Fault end) { fault = end; });
  io_.restart();
  io_.run();
  if (!fault) return {};
  const long verified = SSL_get_verify_result(tls_->native_handle());
  return unreachable(server, verified == X509_V_OK ? "the TLS handshake failed: " + fault.message()
                                                   : X509_verify_cert_error_string(verified));
}

}  // namespace quell::http
