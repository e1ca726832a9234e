// A snapshot as it is stored: what a list shows in one document, its ranges in another, so that a
// list of many is short.
#pragma once

#include <optional>
#include <vector>

#include "runtime/policy/store_snapshot.hpp"
#include "storage/batch.hpp"
#include "storage/reader.hpp"

namespace quell {

inline constexpr const char *snapshot_kind = "snapshot", *ranges_kind = "snapshot_ranges";

storage::DocOp snapshot_doc(const StoreSnapshot& snapshot, Instant until);
std::optional<StoreSnapshot> snapshot_of(const storage::Doc& doc);
storage::DocOp ranges_doc(const StoreSnapshot& snapshot, const std::vector<IdRange>& ranges,
                          Instant until);
std::optional<std::vector<IdRange>> ranges_of(const storage::Doc& doc);

}  // namespace quell
