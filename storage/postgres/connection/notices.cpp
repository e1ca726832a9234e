#include "storage/postgres/connection/notices.hpp"

#include <libpq-fe.h>

#include <string_view>

namespace quell::storage::postgres {

thread_local Notices* Listening::next = nullptr;

void Notices::note(void* notices, const PGresult* notice) {
  const char* state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
  if (state != nullptr && std::string_view(state) == "01000")
    static_cast<Notices*>(notices)->warned_ = true;
}

pqxx::connectionpolicy::handle Listening::do_startconnect(handle known) {
  const handle made = connect_direct::do_startconnect(known);
  if (made != nullptr && next != nullptr) PQsetNoticeReceiver(made, &Notices::note, next);
  return made;
}

}  // namespace quell::storage::postgres
