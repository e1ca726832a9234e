// The jobs of one schedule, by their ids: all that are there, or those that have not ended.
#pragma once

#include <vector>

#include "storage/reader.hpp"

namespace quell::storage {

Result<std::vector<JobId>> jobs_of_schedule(Reader& reader, const Uuid& task, bool with_ended,
                                            std::size_t most);

Result<std::uint64_t> count_of_schedule(Reader& reader, const Uuid& task, bool with_ended,
                                        std::uint64_t most);

}  // namespace quell::storage
