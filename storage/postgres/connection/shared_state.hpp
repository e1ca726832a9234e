// What the writers and readers of one process share.
#pragma once

#include "storage/postgres/connection/address.hpp"
#include "storage/postgres/connection/history.hpp"
#include "storage/postgres/connection/neighbours.hpp"
#include "storage/postgres/connection/standbys.hpp"
#include "storage/postgres/verbs/claim_cursors.hpp"
#include "storage/postgres/verbs/upkeep.hpp"

namespace quell::storage::postgres {

struct SharedState {
  explicit SharedState(const Address& address) : upkeep(address) {}
  Neighbours neighbours;
  Standbys standbys;
  ClaimCursors cursors;
  History history;
  Upkeep upkeep;
};

}  // namespace quell::storage::postgres
