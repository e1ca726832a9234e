#include "http/server/tls_context.hpp"

#include <sys/stat.h>

namespace quell::http {

namespace asio = boost::asio;

namespace {

// Whoever can read the key can be this server.
Result<void> check_private(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return {};  // the reader says it better
  if ((file.st_mode & (S_IRWXO | S_IWGRP)) == 0) return {};
  return Error{ErrorCode::usage,
               "others can read or change the TLS key " + path + ": chmod 600 (or 640) it first"};
}

}  // namespace

Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const std::string& certificate,
                                                             const std::string& key) {
  if (Result<void> kept = check_private(key); !kept) return kept.error();
  auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code fault;
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                       asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1 | asio::ssl::context::single_dh_use,
                   fault);
  if (!fault) tls->use_certificate_chain_file(certificate, fault);
  if (!fault) tls->use_private_key_file(key, asio::ssl::context::pem, fault);
  if (fault)
    return Error{ErrorCode::usage, "The TLS certificate or key cannot be read: " + fault.message()};
  return tls;
}

}  // namespace quell::http
