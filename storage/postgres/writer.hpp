// One connection that writes: a batch is a transaction, tried again where the database asks for it.
#pragma once

#include <memory>

#include "storage/postgres/address.hpp"
#include "storage/postgres/neighbours.hpp"
#include "storage/postgres/upkeep.hpp"
#include "storage/store.hpp"

namespace quell::storage::postgres {

std::unique_ptr<Writer> make_writer(const Address& address, Neighbours& neighbours, Upkeep& upkeep);

}  // namespace quell::storage::postgres
