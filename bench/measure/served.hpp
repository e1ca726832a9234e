// `quell serve` as a child process on a port of its own, and as many connections to it as asked
// for.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "http/client/client.hpp"

namespace quell::bench {

class Served {
 public:
  // `flags` go after `quell VERB --store … --data-dir … --listen …`.
  Served(const std::string& store, const std::string& data_dir, std::vector<std::string> flags = {},
         const std::string& verb = "serve");
  ~Served();
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  double seconds_to_ready() const { return to_ready_; }
  // Of processes that share a store, the first has the administrator's token.
  void share_token(const Served& first) { token_dir_ = first.token_dir_; }
  void kill_hard();  // SIGKILL: no chance to say anything

  // One request on a connection of its own that is kept; anything but 2xx ends the program.
  std::string call(const std::string& method, const std::string& target,
                   const std::string& body = {});

  // `total` times the same request, over `connections` at once; how long each took, in ms.
  std::vector<double> load(const std::string& method, const std::string& target,
                           const std::string& body, int connections, long total);

 private:
  std::string token();

  std::string data_dir_, token_dir_;
  int port_ = 0;
  pid_t process_ = 0;
  double to_ready_ = 0;
  std::unique_ptr<http::Client> client_;
};

}  // namespace quell::bench
