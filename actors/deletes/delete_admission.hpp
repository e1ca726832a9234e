// What the law of deleting makes of a request: it stays as it is, becomes a dry run, or is refused,
// which owes the audit a row.
#pragma once

#include "actors/deletes/delete_report.hpp"
#include "actors/node/node.hpp"

namespace quell {

Result<void> admit(const DeletionRules& rules, DeleteRequest& request);
Result<void> admit(const DeletionRules& rules, ForceRequest& request);

storage::AuditOp refusal_of(const DeleteRequest& request, ErrorCode reason, Instant now);
storage::AuditOp refusal_of(const ForceRequest& request, ErrorCode reason, Instant now);
// Of some jobs of a call that was admitted.
storage::AuditOp refusal_of_protected(const DeleteRequest& request, const DeleteReport& report);
std::string freeze_detail(const FreezeOrder& order);  // of its audit row
std::size_t protected_jobs(const DeleteReport& report);

}  // namespace quell
