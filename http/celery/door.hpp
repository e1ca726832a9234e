// The door of Celery: quell as the Redis that clients of Celery know. One thread, like the HTTP
// server beside it. There are two ways in: the public one for clients with tokens, and one on this
// machine's loopback for the processes of tasks, which takes nothing but their attempts' tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "actors/node/node.hpp"
#include "runtime/celery/attempts.hpp"

namespace quell::http {
class Auth;
}

namespace quell::http::celery {

struct DoorOptions {
  std::string listen = {};                 // HOST:PORT of the public way in; empty: there is none
  std::string certificate = {}, key = {};  // PEM files: then TLS
  std::size_t connections = 4096, connections_per_address = 0;  // 0: no limit
  long login_per_minute = 0;                                    // wrong passwords of one address
  std::size_t message_max = std::size_t{16} << 20;
  std::string version = {};
};

class Door {
 public:
  virtual ~Door() = default;  // stops
  // Binds both ways in, so that the processes of tasks have somewhere to wait.
  static Result<std::unique_ptr<Door>> bind(const DoorOptions& options,
                                            std::shared_ptr<quell::celery::Attempts> attempts);
  // `auth` may be null: then only the processes of tasks are let in.
  virtual void start(Node& node, Auth* auth) = 0;
  virtual void stop() = 0;  // blocks until no answer of the node can come here any more
  virtual std::uint16_t port() const = 0;  // of the public way in; 0: there is none
};

}  // namespace quell::http::celery
