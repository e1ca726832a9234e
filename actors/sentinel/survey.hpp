// What a look at the store begins with: the figures of the new snapshot that need no walk over the
// ids, and what is known from the looks before.
#pragma once

#include <string>
#include <vector>

#include "runtime/policy/anomaly.hpp"
#include "runtime/settings/settings.hpp"
#include "storage/reader.hpp"

namespace quell {

struct Survey {
  StoreSnapshot snapshot;
  std::vector<StoreSnapshot> before;  // of the last hour, and the last one; oldest first
  std::vector<IdRange> ranges;        // of the last one
  bool is_there = false;              // somebody has made this snapshot already
};

// `due`: the slot whose snapshot this is.
Result<Survey> survey(storage::Reader& reader, const SettingValues& settings, Instant due,
                      Instant now);

// Of this process, as the kernel counts what it holds.
std::int64_t resident_bytes();

}  // namespace quell
