#include "actors/deletes/delete_admission.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace quell {

namespace {

using Json = nlohmann::ordered_json;

storage::AuditOp row(Instant at, const std::string& who, std::string ref, ErrorCode reason,
                     std::string_view path, std::size_t jobs) {
  const Json detail{{"reason", info(reason).wire}, {"path", path}, {"jobs", jobs}};
  return {at, who, "delete.refused", std::move(ref),
          detail.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

bool is_protected(const JobOutcome& one) {
  return one.fate == JobFate::failed && one.error && one.error->code == ErrorCode::protected_job;
}

}  // namespace

Result<void> admit(const DeletionRules& rules, DeleteRequest& request) {
  const auto permit = admit_deletion(rules, {.origin = request.origin,
                                             .ids = request.jobs.size(),
                                             .confirm = request.confirm,
                                             .dry_run = request.dry_run});
  if (!permit) return permit.error();
  request.dry_run = *permit == DeletionPermit::would_delete;
  request.frozen = rules.frozen;
  return {};
}

Result<void> admit(const DeletionRules& rules, ForceRequest& request) {
  const auto permit = admit_deletion(
      rules,
      {.origin = DeletionOrigin::force, .confirm = request.confirm, .dry_run = request.dry_run});
  if (!permit) return permit.error();
  request.dry_run = *permit == DeletionPermit::would_delete;
  request.frozen = rules.frozen;
  return {};
}

storage::AuditOp refusal_of(const DeleteRequest& request, ErrorCode reason, Instant now) {
  return row(now, request.who, request.jobs.size() == 1 ? request.jobs.front().text() : "", reason,
             request.path, request.jobs.size());
}

storage::AuditOp refusal_of(const ForceRequest& request, ErrorCode reason, Instant now) {
  return row(now, request.who, request.delete_id.text(), reason, "force", 0);
}

storage::AuditOp refusal_of_protected(const DeleteRequest& request, const DeleteReport& report) {
  const auto first = std::find_if(report.outcomes.begin(), report.outcomes.end(), is_protected);
  const std::size_t many = protected_jobs(report);
  return row(report.at, request.who, many == 1 ? first->job.text() : report.delete_id.text(),
             ErrorCode::protected_job, request.path, many);
}

std::string freeze_detail(const FreezeOrder& order) {
  return Json{{"reason", order.reason}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::size_t protected_jobs(const DeleteReport& report) {
  return static_cast<std::size_t>(
      std::count_if(report.outcomes.begin(), report.outcomes.end(), is_protected));
}

}  // namespace quell
