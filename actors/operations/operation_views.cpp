#include "actors/operations/operation_views.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "runtime/base/bounded_ordered_json.hpp"

namespace quell {

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string operation_event(const Operation& operation) {
  return text_of({{"operation_id", operation.id.text()},
                  {"verb", to_string(operation.verb)},
                  {"state", to_string(operation.state)},
                  {"done", operation.handled},
                  {"total", operation.expected}});
}

std::string operation_audit_detail(const Operation& operation) {
  Json detail{{"verb", to_string(operation.verb)},
              {"filter", operation.filter_text},
              {"expected", operation.expected},
              {"reason", operation.reason}};
  if (operation.ended) {
    detail["state"] = to_string(operation.state);
    detail["counts"] = operation.counts;
  }
  return text_of(detail);
}

std::string operation_receipt(const Operation& operation, const DeleteCounts& counts,
                              const AuditHead& audit_head) {
  DeleteReport report;
  report.delete_id = operation.id;
  report.at = operation.at;
  report.counts = counts;
  report.durability = operation.durability;
  DeleteRequest request;
  request.who = operation.who;
  request.reason = operation.reason;
  Json payload = ordered_json_of_ours(receipt_payload(report, request, audit_head));
  payload["operation"] = {{"filter", operation.filter_text},
                          {"created_before_ms", nullptr},
                          {"state", to_string(operation.state)},
                          {"ended_ms", nullptr}};
  if (operation.filter.created_before)
    payload["operation"]["created_before_ms"] =
        operation.filter.created_before->time_since_epoch().count();
  if (operation.ended)
    payload["operation"]["ended_ms"] = operation.ended->time_since_epoch().count();
  payload.erase("outcomes");  // the tombstones are, and there may be a million
  return text_of(payload);
}

void add_end(const Operation& operation, std::int64_t version, storage::Batch& ops) {
  const Instant now = *operation.ended;
  storage::DocOp gone = operation_doc(operation, version);
  gone.body.reset();
  ops.docs.push_back(std::move(gone));
  ops.docs.push_back({.kind = operation_wish_kind,
                      .id = operation.id.text(),
                      .project = operation.project,
                      .body = std::nullopt});
  storage::DocOp ended = operation_doc(operation, std::nullopt);
  ended.kind = ended_operation_kind;
  ended.until = now + operation_keep;
  ops.docs.push_back(std::move(ended));
  ops.audits.push_back({now, operation.who, "operation.ended", operation.id.text(),
                        operation_audit_detail(operation)});
}

// A kind that runs others needs their scopes too.
bool may_run_again(const NodeContext& context, const Operation& operation, const JobView& job) {
  const auto& held = operation.scopes;
  const auto needed = context.registry->scopes(job.kind, job.args);
  const bool is_off = !context.settings->exec_enabled && needed.contains("jobs:exec");
  return !is_off && std::all_of(needed.begin(), needed.end(), [&held](const std::string& one) {
    return std::find(held.begin(), held.end(), one) != held.end();
  });
}

}  // namespace quell
