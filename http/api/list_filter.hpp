// The filter of a list of jobs: `status=running AND queue=default AND tags:nightly`, or the same as
// single query parameters. What the store cannot answer by an index is refused, not scanned for.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "storage/reader.hpp"

namespace quell::http {

// Adds the terms of `text` to `filter`.
Result<void> read_filter(std::string_view text, storage::JobFilter& filter);

// One term, as `status`, `queued,running`.
Result<void> add_term(std::string_view field, std::string_view op, std::string_view value,
                      storage::JobFilter& filter);

// Equal for equal filters: what a page token is bound to.
std::string filter_text(const storage::JobFilter& filter);

}  // namespace quell::http
