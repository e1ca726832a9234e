// One connection that writes: a batch is a transaction, tried again where the database asks for it.
#pragma once

#include <memory>

#include "storage/postgres/connection/shared_state.hpp"
#include "storage/store.hpp"

namespace quell::storage::postgres {

std::unique_ptr<Writer> make_writer(const Address& address, SharedState& common);

}  // namespace quell::storage::postgres
