// What only the store knows, as figures for /metrics.
#pragma once

#include <string>

#include "storage/reader.hpp"

namespace quell::http {

std::string store_figures(storage::Reader& reader, Instant now);

}  // namespace quell::http
