// What only the store knows, as figures for /metrics.
#pragma once

#include <string>

#include "runtime/signing/audit_chain.hpp"
#include "storage/reader.hpp"

namespace quell::http {

// Of entries in a row. `begins_behind_others`: the first one is not the log's first.
AuditCheck tail_check(const std::vector<storage::AuditRow>& rows, bool begins_behind_others);

std::string store_metrics(storage::Reader& reader, Instant now);

}  // namespace quell::http
