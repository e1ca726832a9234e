// The shared store: many processes on one PostgreSQL.
#pragma once

#include <memory>
#include <string>

#include "storage/store.hpp"

namespace quell::storage {

// A libpq URI; see docs/guides/postgres.md for what we add to it.
Result<std::unique_ptr<Store>> open_postgres(const std::string& url, const OpenOptions& options);

}  // namespace quell::storage
