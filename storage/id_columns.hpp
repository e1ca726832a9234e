// Which columns of ids may name a job. Of a table that is added later every column of ids is looked
// at when a delete is verified, unless it has the name of something else: forgetting one here makes
// the look slower, never blind.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace quell::storage {

// The delete that a row is about; the node that holds it.
inline constexpr std::array<std::string_view, 3> other_ids{"delete_id", "node", "body"};

constexpr bool may_name_a_job(std::string_view column) {
  return std::find(other_ids.begin(), other_ids.end(), column) == other_ids.end();
}

}  // namespace quell::storage
