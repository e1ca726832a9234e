// What other processes may want to hear of a commit, so that they need not wait for their next
// look. One text for the whole transaction: in PostgreSQL each NOTIFY takes a global lock.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/batch.hpp"

namespace quell::storage {

// "orders:<node>": it holds a job that was marked, or runs one with a requested cancel.
// "erased": a job that another process may wait for is gone.
// "docs": documents changed (queues, pools, orders to workers, tokens).
// "queue:<name>": more work than this commit's own claims took.
std::vector<std::string> hints_of(const Batch& batch, const Outcome& outcome);

// The hints of one commit as one text, and back. A text longer than `most` bytes loses its queues
// first: whoever misses one looks within a second.
std::string join_hints(const std::vector<std::string>& hints, std::size_t most);
std::vector<std::string> split_hints(std::string_view text);

}  // namespace quell::storage
