// One connection that writes: a batch is a transaction, tried again where the database asks for it.
#pragma once

#include <memory>

#include "storage/postgres/address.hpp"
#include "storage/postgres/claim_cursors.hpp"
#include "storage/postgres/neighbours.hpp"
#include "storage/postgres/upkeep.hpp"
#include "storage/store.hpp"

namespace quell::storage::postgres {

// Shared by the writers of one process.
struct Common {
  explicit Common(const Address& address) : upkeep(address) {}
  Neighbours neighbours;
  ClaimCursors cursors;
  Upkeep upkeep;
};

std::unique_ptr<Writer> make_writer(const Address& address, Common& common);

}  // namespace quell::storage::postgres
