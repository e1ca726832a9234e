// What other processes say they have written, by LISTEN on a connection of its own.
#pragma once

#include <memory>

#include "storage/postgres/connection/address.hpp"
#include "storage/store.hpp"

namespace quell::storage::postgres {

std::unique_ptr<Hints> make_hints(const Address& address);

}  // namespace quell::storage::postgres
