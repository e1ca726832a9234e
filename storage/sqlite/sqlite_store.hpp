// The embedded store: one file, one owner, durable with each commit.
#pragma once

#include <memory>
#include <string>

#include "storage/store.hpp"

namespace quell::storage {

// Without a path: quell.db in the data directory.
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, const OpenOptions& options);

}  // namespace quell::storage
