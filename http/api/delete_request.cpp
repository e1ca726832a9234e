#include "http/api/delete_request.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/api/api_server.hpp"
#include "http/api/idempotency.hpp"
#include "http/api/job_request.hpp"
#include "http/api/longest_wait.hpp"
#include "http/api/views/json_writer.hpp"

namespace quell::http {

namespace {

// Members that every delete body may have.
void read_common(Fields& fields, DeleteRequest& request) {
  std::int64_t ignored = 0;
  bool archive = true;
  fields.text("reason", request.reason, 1024);
  fields.seconds("wait", request.wait, 0, longest_wait_s);
  // A run is told to stop at once and its on_stop is short by law, so a longer grace changes
  // nothing.
  fields.integer("grace_ms", ignored, 0, 60'000);
  // Query and body may say it; each is enough.
  bool dry_run = false, confirm = false;
  fields.flag("validate_only", dry_run);
  fields.flag("confirm", confirm);
  request.dry_run = request.dry_run || dry_run;
  request.confirm = request.confirm || confirm;
  std::int64_t days = 0;
  if (fields.integer("archive_days", days, 0, 3650))
    request.keep_copy = setting_type::days::of(days);
  if (fields.flag("archive", archive) && !archive) request.keep_copy = Millis{0};
}

bool read_query(RequestContext& call, DeleteRequest& request) {
  request.wait = call.api.settings().delete_wait;
  const auto confirm = call.boolean("confirm");
  if (!confirm) return false;
  const auto validate = call.boolean("validate_only");
  if (!validate || !call.read_wait(request.wait, true) || !call.read_reason(request.reason))
    return false;
  request.confirm = *confirm;
  request.dry_run = *validate;
  request.who = call.principal.who();
  request.remote = call.request.remote;
  request.held_key = held_key(call);
  request.project = call.principal.project;
  return true;
}

void read_ids(Fields& fields, std::size_t max_ids, DeleteRequest& request, bool& too_many) {
  std::vector<JsonValue> items;
  fields.require("job_ids");
  if (!fields.array("job_ids", items)) return;
  if (items.empty()) return fields.wrong("job_ids", "At least one id is needed.");
  too_many = items.size() > max_ids;
  if (too_many) return;
  request.jobs.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::optional<std::string> text = items[i].string();
    const std::optional<Uuid> id = text ? Uuid::parse(*text) : std::nullopt;
    if (!id)
      fields.wrong("job_ids", fmt::format("Item {} is not an id; ids are UUIDs.", i));
    else
      request.jobs.push_back(*id);
  }
}

}  // namespace

std::optional<DeleteRequest> read_single_delete(RequestContext& call, bool& allow_missing) {
  if (!call.allow_only({"wait", "grace_ms", "validate_only", "reason", "confirm", "allow_missing"}))
    return std::nullopt;
  const auto id = call.id(0, ErrorCode::job_not_found);
  if (!id) return std::nullopt;
  const auto missing = call.boolean("allow_missing");
  if (!missing || !call.number("grace_ms", 0, 0, 60'000)) return std::nullopt;
  allow_missing = *missing;
  DeleteRequest request;
  if (!read_query(call, request)) return std::nullopt;
  const std::optional<JsonValue> body = call.body();
  if (!body) return std::nullopt;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  read_common(fields, request);
  fields.refuse_rest();
  if (!faults.empty()) return call.fail(faults_problem(std::move(faults))), std::nullopt;
  request.jobs = {*id};
  return request;
}

std::optional<DeleteRequest> read_bulk_delete(RequestContext& call, bool strict) {
  if (!call.allow_only({"wait", "outcomes", "proof", "confirm", "validate_only", "reason"}))
    return std::nullopt;
  DeleteRequest request;
  request.path = "bulk";
  request.origin = DeletionOrigin::bulk;
  if (!read_query(call, request)) return std::nullopt;
  const std::optional<JsonValue> body = call.body();
  if (!body) return std::nullopt;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  bool too_many = false;
  bool atomic = false;
  bool allow_missing = true;  // always so in bulk: an unknown id is an outcome
  read_ids(fields, static_cast<std::size_t>(call.api.settings().ids_max), request, too_many);
  read_common(fields, request);
  fields.flag("allow_missing", allow_missing);
  if (fields.flag("atomic", atomic) && atomic)
    fields.wrong("atomic", "Outcomes are per job here; all-or-nothing is not offered.");
  if (strict) fields.refuse_rest();
  if (too_many) return call.fail({ErrorCode::too_many_ids}), std::nullopt;
  if (!faults.empty()) return call.fail(faults_problem(std::move(faults))), std::nullopt;
  return request;
}

}  // namespace quell::http
