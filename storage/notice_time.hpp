// Ids begin with their time, so that what is old is found by its id alone.
#pragma once

#include <algorithm>

#include "storage/batch.hpp"

namespace quell::storage {

// No id made at `at` or later is smaller.
inline Uuid first_id_at(Instant at) {
  Uuid id;
  const auto ms =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, at.time_since_epoch().count()));
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  return id;
}

}  // namespace quell::storage
