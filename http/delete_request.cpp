#include "http/delete_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "http/door.hpp"
#include "http/job_request.hpp"
#include "http/json_writer.hpp"

namespace quell::http {

namespace {

constexpr double longest_wait_s = 30;

// `wait` in seconds, as a query parameter or as RFC 7240's `Prefer: wait=5`.
bool read_wait(Call& call, Millis& wait) {
  std::string text = call.query("wait").value_or("");
  if (text.empty()) {
    const std::string_view prefer = call.request.header("Prefer");
    const std::size_t at = prefer.find("wait=");
    if (at == std::string_view::npos) return true;
    const std::string_view rest = prefer.substr(at + 5);
    text = rest.substr(0, rest.find_first_of(",; "));
  }
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, seconds);
  if (fault != std::errc{} || stop != end || !(seconds >= 0 && seconds <= longest_wait_s))
    return call.fail({ErrorCode::invalid_field, "'wait' is a number of seconds from 0 to 30."}),
           false;
  wait = Millis{static_cast<std::int64_t>(seconds * 1000)};
  return true;
}

// Both places may say it; each is enough.
struct Guarded {
  bool confirm = false, validate_only = false;
};

bool pass_guard(Call& call, const Guarded& asked, DeleteRequest& request) {
  const DoorSettings& settings = call.door.settings();
  request.dry_run = settings.dry_run || asked.validate_only;
  if (settings.frozen && !request.dry_run) return call.fail({ErrorCode::deletions_frozen}), false;
  if (settings.confirm_deletes && !asked.confirm && !request.dry_run)
    return call.fail({ErrorCode::confirmation_required}), false;
  return true;
}

// Members that every delete body may have.
void read_common(Fields& fields, DeleteRequest& request, Guarded& guarded) {
  std::int64_t ignored = 0;
  bool archive = true;
  fields.text("reason", request.reason, 1024);
  fields.seconds("wait", request.wait, 0, longest_wait_s);
  // A run is told to stop at once and its on_stop is short by law, so a longer grace changes
  // nothing.
  fields.integer("grace_ms", ignored, 0, 60'000);
  fields.flag("validate_only", guarded.validate_only);
  fields.flag("confirm", guarded.confirm);
  if (fields.flag("archive", archive) && !archive) request.keep_copy = Millis{0};
}

bool read_query(Call& call, DeleteRequest& request, Guarded& guarded) {
  request.wait = call.door.settings().delete_wait;
  const auto confirm = call.truth("confirm");
  if (!confirm) return false;
  const auto validate = call.truth("validate_only");
  if (!validate || !read_wait(call, request.wait)) return false;
  guarded.confirm = *confirm;
  guarded.validate_only = *validate;
  request.reason = call.query("reason").value_or("");
  request.who = call.principal.who();
  request.remote = call.request.remote;
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

std::optional<DeleteRequest> read_single_delete(Call& call, bool& allow_missing) {
  if (!call.only({"wait", "grace_ms", "validate_only", "reason", "confirm", "allow_missing"}))
    return std::nullopt;
  const auto id = call.id(0, ErrorCode::job_not_found);
  if (!id) return std::nullopt;
  const auto missing = call.truth("allow_missing");
  if (!missing || !call.number("grace_ms", 0, 0, 60'000)) return std::nullopt;
  allow_missing = *missing;
  DeleteRequest request;
  Guarded guarded;
  if (!read_query(call, request, guarded)) return std::nullopt;
  const std::optional<JsonValue> body = call.body();
  if (!body) return std::nullopt;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  read_common(fields, request, guarded);
  fields.refuse_rest();
  if (!faults.empty()) return call.fail(faults_problem(std::move(faults))), std::nullopt;
  if (!pass_guard(call, guarded, request)) return std::nullopt;
  request.jobs = {*id};
  return request;
}

std::optional<DeleteRequest> read_bulk_delete(Call& call, bool strict) {
  if (!call.only({"wait", "outcomes", "proof", "confirm", "validate_only", "reason"}))
    return std::nullopt;
  DeleteRequest request;
  request.path = "bulk";
  Guarded guarded;
  if (!read_query(call, request, guarded)) return std::nullopt;
  const std::optional<JsonValue> body = call.body();
  if (!body) return std::nullopt;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  bool too_many = false;
  bool atomic = false;
  bool allow_missing = true;  // always so in bulk: an unknown id is an outcome
  read_ids(fields, call.door.settings().max_ids, request, too_many);
  read_common(fields, request, guarded);
  fields.flag("allow_missing", allow_missing);
  if (fields.flag("atomic", atomic) && atomic)
    fields.wrong("atomic", "Outcomes are per job here; all-or-nothing is not offered.");
  if (strict) fields.refuse_rest();
  if (too_many) return call.fail({ErrorCode::too_many_ids}), std::nullopt;
  if (!faults.empty()) return call.fail(faults_problem(std::move(faults))), std::nullopt;
  if (!pass_guard(call, guarded, request)) return std::nullopt;
  return request;
}

}  // namespace quell::http
