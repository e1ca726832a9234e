#include "actors/operations/operation_erase.hpp"

#include <algorithm>

#include "runtime/policy/webhook_outbox.hpp"

namespace quell {

DeleteRequest slice_request(const NodeContext& context, const Operation& operation) {
  DeleteRequest request;
  request.jobs = operation.slice;
  request.who = operation.who;
  request.reason = operation.reason;
  request.path = "filter";
  request.project = operation.project;
  request.keep_copy = operation.keep_copy;
  request.wait = context.settings->delete_wait;
  request.origin = DeletionOrigin::filter;
  request.of_operation = operation.id;
  request.in_summary = operation.expected > static_cast<std::int64_t>(deleted_one_by_one_max);
  // A store adds to the end of its indexes for less than to their middle.
  std::sort(request.jobs.begin(), request.jobs.end());
  return request;
}

bool is_unsure(const Result<DeleteReport>& report) {
  return !report ||
         std::any_of(report->outcomes.begin(), report->outcomes.end(), [](const JobOutcome& one) {
           return one.error && one.error->code == ErrorCode::store_unavailable;
         });
}

}  // namespace quell
