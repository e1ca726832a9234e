#include "http/client_wire.hpp"

#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace quell::http {

namespace {

Error unreachable(const Target& target, std::string why) {
  return Error{ErrorCode::server_unreachable,
               target.host + ":" + target.port + ": " + std::move(why)};
}

int open_socket(const Target& target, Millis timeout, std::string& why) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int fault = getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found);
      fault != 0) {
    why = gai_strerror(fault);
    return -1;
  }
  int fd = -1;
  for (const addrinfo* one = found; one != nullptr && fd < 0; one = one->ai_next) {
    fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (fd < 0) continue;
    const timeval limit{static_cast<time_t>(timeout.count() / 1000),
                        static_cast<suseconds_t>(timeout.count() % 1000 * 1000)};
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, one->ai_addr, one->ai_addrlen) == 0) break;
    why = std::strerror(errno);
    close(fd);
    fd = -1;
  }
  freeaddrinfo(found);
  return fd;
}

}  // namespace

Result<Target> read_url(const std::string& url) {
  Target target;
  std::string_view rest = url;
  if (rest.substr(0, 7) == "http://") {
    rest.remove_prefix(7);
    target.port = "80";
  } else if (rest.substr(0, 8) == "https://") {
    rest.remove_prefix(8);
    target.tls = true;
    target.port = "443";
  } else {
    return Error{ErrorCode::usage, "The server's URL begins with http:// or https://, not " + url};
  }
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) target.prefix = rest.substr(slash);
  while (!target.prefix.empty() && target.prefix.back() == '/') target.prefix.pop_back();
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    target.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.size() > 2 && authority.front() == '[')
    authority = authority.substr(1, authority.size() - 2);
  target.host = authority;
  if (target.host.empty() || target.port.empty())
    return Error{ErrorCode::usage, "The server's URL names no host: " + url};
  return target;
}

Result<std::unique_ptr<ClientWire>> ClientWire::connect(const Target& target, Millis timeout,
                                                        const std::string& ca_file) {
  std::unique_ptr<ClientWire> wire{new ClientWire};
  std::string why = "no address";
  wire->fd_ = open_socket(target, timeout, why);
  if (wire->fd_ < 0) return unreachable(target, why);
  if (!target.tls) return wire;
  if (Result<void> started = wire->start_tls(target.host, ca_file); !started)
    return unreachable(target, started.error().detail);
  return wire;
}

Result<void> ClientWire::start_tls(const std::string& host, const std::string& ca_file) {
  context_ = SSL_CTX_new(TLS_client_method());
  if (context_ == nullptr) return Error{ErrorCode::internal, "no TLS"};
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  const bool trusts = ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(context_) == 1
                          : SSL_CTX_load_verify_locations(context_, ca_file.c_str(), nullptr) == 1;
  if (!trusts) return Error{ErrorCode::usage, "the certificates to trust cannot be read"};
  tls_ = SSL_new(context_);
  SSL_set_tlsext_host_name(tls_, host.c_str());
  // An address is checked against the certificate's addresses, a name against its names.
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_), host.c_str()) != 1)
    SSL_set1_host(tls_, host.c_str());
  SSL_set_fd(tls_, fd_);
  if (SSL_connect(tls_) == 1) return {};
  const long verified = SSL_get_verify_result(tls_);
  return Error{ErrorCode::server_unreachable, verified == X509_V_OK
                                                  ? std::string{"the TLS handshake failed"}
                                                  : X509_verify_cert_error_string(verified)};
}

ClientWire::~ClientWire() {
  if (tls_ != nullptr) SSL_free(tls_);
  if (context_ != nullptr) SSL_CTX_free(context_);
  if (fd_ >= 0) close(fd_);
}

bool ClientWire::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = 0;
    if (tls_ != nullptr)
      sent = SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
    else
      sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool ClientWire::read(std::string& into) {
  std::array<char, 65536> piece;
  for (;;) {
    const ssize_t got = tls_ != nullptr
                            ? SSL_read(tls_, piece.data(), static_cast<int>(piece.size()))
                            : ::recv(fd_, piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into.append(piece.data(), static_cast<std::size_t>(got));
    return true;
  }
}

}  // namespace quell::http
