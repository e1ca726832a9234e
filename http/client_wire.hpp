// One outgoing connection, plain or TLS, read and written with a time limit. Private to the client.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "runtime/clock.hpp"
#include "runtime/result.hpp"

namespace quell::http {

struct Target {
  bool tls = false;
  std::string host;
  std::string port;
  std::string prefix;  // of every path; "" or "/x"
};
Result<Target> read_url(const std::string& url);

class ClientWire {
 public:
  static Result<std::unique_ptr<ClientWire>> connect(const Target& target, Millis timeout,
                                                     const std::string& ca_file);
  ClientWire(const ClientWire&) = delete;
  ClientWire& operator=(const ClientWire&) = delete;
  ~ClientWire();

  bool write(std::string_view bytes);
  // Appends what came; false at the end, or when nothing came in time.
  bool read(std::string& into);

 private:
  ClientWire() = default;
  Result<void> start_tls(const std::string& host, const std::string& ca_file);

  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* tls_ = nullptr;
};

}  // namespace quell::http
