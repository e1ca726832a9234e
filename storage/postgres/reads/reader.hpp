// Reads on a connection of their own, that come back after the database was away.
#pragma once

#include <memory>

#include "storage/postgres/connection/history.hpp"
#include "storage/reader.hpp"

namespace quell::storage::postgres {

std::unique_ptr<Reader> make_reader(const Address& address, History& history);

}  // namespace quell::storage::postgres
