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
// And what the batch itself names, but for news.
std::vector<std::string> hints_of(const Batch& batch, const Outcome& outcome);

// The hints of one commit as one text, and back. A text longer than `most` bytes loses its queues
// first: whoever misses one looks within a second.
std::string join_hints(const std::vector<std::string>& hints, std::size_t most);
std::vector<std::string> split_hints(std::string_view text);

// All that is said with a commit, as texts of at most `most` bytes each, in the order in which they
// are heard: the news first, so that whoever acts on a hint has told his watchers before. Of very
// many news only that they are lost.
inline constexpr std::size_t hint_bytes = 7'900;  // PostgreSQL takes 8,000
std::vector<std::string> said_of(const Batch& batch, const Outcome& outcome, std::size_t most);

}  // namespace quell::storage
