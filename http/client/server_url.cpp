#include "http/client/server_url.hpp"

#include <string_view>

namespace quell::http {

Result<ServerUrl> read_url(const std::string& url) {
  ServerUrl server;
  std::string_view rest = url;
  if (rest.substr(0, 7) == "http://") {
    rest.remove_prefix(7);
    server.port = "80";
  } else if (rest.substr(0, 8) == "https://") {
    rest.remove_prefix(8);
    server.tls = true;
    server.port = "443";
  } else {
    return Error{ErrorCode::usage, "The server's URL begins with http:// or https://, not " + url};
  }
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) server.prefix = rest.substr(slash);
  while (!server.prefix.empty() && server.prefix.back() == '/') server.prefix.pop_back();
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    server.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.size() > 2 && authority.front() == '[')
    authority = authority.substr(1, authority.size() - 2);
  server.host = authority;
  if (server.host.empty() || server.port.empty())
    return Error{ErrorCode::usage, "The server's URL names no host: " + url};
  return server;
}

}  // namespace quell::http
