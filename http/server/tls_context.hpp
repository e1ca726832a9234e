// The server's side of TLS: certificate and key, TLS 1.2 or later. For each server of ours.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "runtime/base/result.hpp"

namespace quell::http {

Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const std::string& certificate,
                                                                    const std::string& key);

}  // namespace quell::http
