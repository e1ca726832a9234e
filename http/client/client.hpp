// A small blocking HTTP client for the command line and for tests: one connection, kept alive.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"

namespace quell::http {

struct ClientOptions {
  std::string url = "http://127.0.0.1:8080";
  std::string token = {};
  std::string ca_file = {};  // for https; empty: the system's
  Millis timeout{60'000};    // of one read or write
};

struct ClientReply {
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case
};

class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // `server_unreachable` when nobody answers. `body` "" sends none.
  Result<ClientReply> send(const std::string& method, const std::string& target,
                           const std::string& body = {},
                           const std::vector<std::pair<std::string, std::string>>& headers = {});

  // Like send(), but hands each piece of the body over as it comes, until the server ends it or
  // `on_piece` returns false.
  Result<ClientReply> follow(const std::string& target,
                             const std::vector<std::pair<std::string, std::string>>& headers,
                             const std::function<bool(std::string_view)>& on_piece);

 private:
  struct Wire;
  Result<bool> connect();
  ClientOptions options_;
  std::unique_ptr<Wire> wire_;
};

}  // namespace quell::http
