// A pooler in transaction mode before the temporary PostgreSQL: two transactions of one client may
// meet two sessions, and a session serves many clients. Gone with the process.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/storage/postgres/temporary_postgres.hpp"

namespace quell::storage {

class TemporaryPgbouncer {
 public:
  // Few sessions for many clients, so that they really change hands. `user`: as whom it logs in at
  // the server, whatever the client calls itself.
  TemporaryPgbouncer(TemporaryPostgres& server, const std::string& user);
  ~TemporaryPgbouncer();
  TemporaryPgbouncer(const TemporaryPgbouncer&) = delete;
  TemporaryPgbouncer& operator=(const TemporaryPgbouncer&) = delete;

  static constexpr int sessions = 3;  // a database
  std::string url(const std::string& database, const std::string& parameters = {}) const;

 private:
  TemporaryPostgres& server_;
  int port_ = 0;  // only names the socket
  pid_t process_ = 0;
};

}  // namespace quell::storage
