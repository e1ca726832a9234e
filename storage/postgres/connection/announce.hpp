// What other processes should hear of a batch, as notifications.
#pragma once

#include <string>

#include "storage/batch.hpp"

namespace quell::storage::postgres {

inline constexpr const char* hint_channel = "quell";

// The statements that say it, or "" when nobody could care.
std::string announcement(const Batch& batch, const Outcome& outcome);

}  // namespace quell::storage::postgres
