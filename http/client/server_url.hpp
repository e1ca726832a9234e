// Where a server is, read from the URL that a person gives.
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace quell::http {

struct ServerUrl {
  bool tls = false;
  std::string host;
  std::string port;
  std::string prefix;  // of every path; "" or "/x"
};
Result<ServerUrl> read_url(const std::string& url);

}  // namespace quell::http
