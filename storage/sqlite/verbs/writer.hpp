// The one connection that writes: a batch is one transaction.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "storage/sqlite/connection/checkpointer.hpp"
#include "storage/store.hpp"

namespace quell::storage::sqlite {

std::unique_ptr<Writer> make_writer(const std::string& path, Checkpointer& checkpointer);

}  // namespace quell::storage::sqlite
