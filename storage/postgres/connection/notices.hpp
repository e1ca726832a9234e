// What the server says beside its answers, by its code: the words are in its administrator's
// language.
#pragma once

#include <pqxx/connection>

namespace quell::storage::postgres {

class Notices {
 public:
  void forget() { warned_ = false; }
  // A warning came since. Of a COMMIT it says that the wait for a standby was cut short.
  bool warned() const { return warned_; }

  static void note(void* notices, const pqxx::internal::pq::PGresult* notice);

 private:
  bool warned_ = false;
};

// libpqxx gives nobody its connection; whoever makes one for it can listen on it first.
class Listening : public pqxx::connect_direct {
 public:
  using connect_direct::connect_direct;
  // Those of the connection that this thread opens next.
  static thread_local Notices* next;
  handle do_startconnect(handle known) override;
};

using NoticedConnection = pqxx::basic_connection_base<Listening>;

}  // namespace quell::storage::postgres
