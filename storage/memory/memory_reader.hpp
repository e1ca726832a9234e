// What writers and readers of one memory store have in common.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "storage/memory/memory_store.hpp"
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

struct Shared {
  std::mutex mutex;
  Tables tables;
  std::function<CommitFate(const Batch&)> fate;
};

std::unique_ptr<Reader> make_reader(std::shared_ptr<Shared> shared);
// The orphan query over plain maps.
std::vector<std::string> orphans_of(const Tables& tables);

}  // namespace quell::storage::memory
