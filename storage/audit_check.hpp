// Whether the chain of the whole audit log holds, while others act, seal, and commit beside.
#pragma once

#include <functional>
#include <vector>

#include "runtime/signing/audit_chain.hpp"
#include "storage/reader.hpp"

namespace quell::storage {

// `known`: heads that left the database, see AuditVerifier.
Result<AuditCheck> check_audit(Reader& reader, const std::vector<AuditHead>& known = {});

// The same for rows from elsewhere. `sealed` is the last sealed row as it was before the first page
// is read: only what was sealed by then is judged. Each page is another moment, and a sealer that
// works meanwhile leaves the end of one unsealed and the begin of the next one sealed.
using AuditPages = std::function<Result<std::vector<AuditRow>>(std::int64_t after, int limit)>;
Result<AuditCheck> check_audit(const AuditPages& pages, std::int64_t sealed,
                               const std::vector<AuditHead>& known);

}  // namespace quell::storage
