// What writers and readers of one memory store have in common.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/memory/memory_store.hpp"
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

// Hints that one listener has not read yet.
struct Ear {
  std::mutex mutex;
  std::condition_variable heard;
  std::vector<std::string> hints;
};

struct Shared {
  std::mutex mutex;
  Tables tables;
  std::function<CommitFate(const Batch&)> fate;
  bool tells_hints = true;
  std::vector<std::weak_ptr<Ear>> ears;
};

std::unique_ptr<Reader> make_reader(std::shared_ptr<Shared> shared);
// The orphan query over plain maps.
std::vector<std::string> orphans_of(const Tables& tables);

}  // namespace quell::storage::memory
