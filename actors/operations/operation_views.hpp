// What is said of an operation: to watchers, in its receipt and in the audit log; and its end, as
// it is written.
#pragma once

#include <string>

#include "actors/node_context.hpp"
#include "actors/operations/operation.hpp"
#include "runtime/signing/audit_chain.hpp"

namespace quell {

std::string operation_event(const Operation& operation);
// What is signed: the totals, and by which filter.
std::string operation_receipt(const Operation& operation, const DeleteCounts& counts,
                              const AuditHead& audit_head);
std::string operation_audit_detail(const Operation& operation);
// Its document becomes one of those that have ended, and its wish goes.
void add_end(const Operation& operation, std::int64_t version, storage::Batch& ops);
bool may_run_again(const NodeContext& context, const Operation& operation, const JobView& job);

}  // namespace quell
