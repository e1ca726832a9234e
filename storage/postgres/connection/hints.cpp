#include "storage/postgres/connection/hints.hpp"

#include <poll.h>

#include <cerrno>

#include "storage/hints.hpp"
#include "storage/postgres/connection/announce.hpp"
#include "storage/postgres/connection/connection.hpp"
#include "storage/postgres/connection/reconnect.hpp"

namespace quell::storage::postgres {

namespace {

std::unique_ptr<Connection> listening(const Address& address) {
  auto db = std::make_unique<Connection>(address, Connection::Use::listen);
  db->listen(hint_channel);
  return db;
}

void wait_readable(int socket, Millis at_most) {
  pollfd readable{socket, POLLIN, 0};
  while (poll(&readable, 1, static_cast<int>(at_most.count())) < 0 && errno == EINTR) {
  }
}

std::vector<std::string> names_in(const std::vector<std::string>& payloads) {
  std::vector<std::string> names;
  for (const std::string& payload : payloads)
    for (std::string& name : split_hints(payload)) names.push_back(std::move(name));
  return names;
}

class PostgresHints final : public Hints {
 public:
  explicit PostgresHints(const Address& address) : db_([address] { return listening(address); }) {}

  Result<std::vector<std::string>> wait(Millis at_most) override {
    try {
      Connection& db = db_.get();
      // What came in with the last answer is no longer in the socket.
      std::vector<std::string> payloads = db.heard();
      if (payloads.empty()) {
        wait_readable(db.socket(), at_most);
        payloads = db.heard();
      }
      return names_in(payloads);
    } catch (const PgFault& fault) {
      db_.drop();
      return fault.error();
    }
  }

 private:
  Reconnect<Connection> db_;
};

}  // namespace

std::unique_ptr<Hints> make_hints(const Address& address) {
  return std::make_unique<PostgresHints>(address);
}

}  // namespace quell::storage::postgres
