// Delete, cancel and retry of all jobs that a filter finds: first what it would take, then, with
// the word that this was seen, an operation. A filter that is empty or mistyped takes nothing.
#include <fmt/format.h>

#include "http/api/api_server.hpp"
#include "http/api/confirm_token.hpp"
#include "http/api/filter_count.hpp"
#include "http/api/handlers/by_filter.hpp"
#include "http/api/idempotency.hpp"
#include "http/api/list_filter.hpp"
#include "http/api/views/operation_view.hpp"

namespace quell::http::handlers {

namespace {

// What is leaving is not taken again; a cancel or a retry has no use for the rest either.
std::vector<JobState> states_for(OperationVerb verb) {
  if (verb == OperationVerb::cancel)
    return {JobState::scheduled, JobState::queued, JobState::running};
  if (verb == OperationVerb::retry) return {JobState::failed, JobState::cancelled};
  return {JobState::scheduled, JobState::queued, JobState::running,
          JobState::succeeded, JobState::failed, JobState::cancelled};
}

// False, and answered, when it is not this caller's to ask for.
bool read_filter_for(RequestContext& call, const std::string& text, OperationVerb verb,
                     storage::JobFilter& filter) {
  if (text.find_first_not_of(' ') == std::string::npos)
    return call.fail({ErrorCode::invalid_filter,
                      "The filter is empty; name at least one of status, queue, kind, tags, "
                      "project, schedule_id or created_at."}),
           false;
  if (const Result<void> read = read_filter(text, filter); !read)
    return call.fail(read.error()), false;
  const std::string& own = call.principal.project;
  if (!own.empty() && !filter.project.empty() && filter.project != own)
    return call.fail({ErrorCode::forbidden, "The token belongs to another project."}), false;
  if (!own.empty()) filter.project = own;
  if (filter.states.empty()) filter.states = states_for(verb);
  return true;
}

Preview preview_of(const RequestContext& call, OperationVerb verb,
                   const storage::JobFilter& filter) {
  return {to_string(verb), filter_text(filter), call.principal.project, call.principal.token_id};
}

// Nothing that is created from now on is caught.
storage::JobFilter bounded(storage::JobFilter filter, Instant at) {
  filter.created_before = std::min(filter.created_before.value_or(at), at);
  return filter;
}

void answer_preview(RequestContext& call, OperationVerb verb, const storage::JobFilter& filter,
                    Instant at, const FilterCount& count) {
  std::string out;
  {
    ObjectWriter view(out);
    view.text("verb", to_string(verb));
    append_count(view, count);
    view.text("confirm_token",
              make_confirm_token(call.api.confirm_key(), preview_of(call, verb, filter),
                                 {at, count.total}));
    view.time("as_of", at);
    view.time("expires_at", at + preview_keep);
    const DeletionRules rules = call.api.node().deletion_rules();
    view.flag("frozen", rules.frozen);
    view.flag("dry_run", rules.dry_run);
  }
  call.reply(200, std::move(out));
}

void answer_started(RequestContext& call, const Operation& operation) {
  Response response;
  response.status = 202;
  response.headers.emplace_back("Location", operation_path(operation.id));
  response.headers.emplace_back("Retry-After", "1");
  append_operation(response.body, operation);
  call.reply(std::move(response));
}

void answer_dry_run(RequestContext& call, const FilterCount& count) {
  std::string out;
  {
    ObjectWriter view(out);
    view.text("verb", "delete");
    view.flag("dry_run", true);
    append_count(view, count);
  }
  call.reply(200, std::move(out));
}

void start(const RequestPtr& call, OperationOrder order) {
  call->api.node().start_operation(
      std::move(order), call->on_loop<Operation>([call](const Result<Operation>& started) {
        if (!started) return fail_held(*call, started.error());
        answer_started(*call, *started);
      }));
}

void check_and_start(const RequestPtr& call, OperationOrder order, bool is_dry) {
  const bool deletes = order.verb == OperationVerb::erase;
  const DeletionRules rules = call->api.node().deletion_rules();
  if (deletes && rules.frozen && !is_dry) return start(call, std::move(order));  // it refuses
  const storage::JobFilter filter = order.filter;
  count_matches(
      call, filter, is_dry || rules.dry_run,
      [call, order = std::move(order), deletes, rules, is_dry](const FilterCount& count) {
        if (is_dry || (deletes && rules.dry_run)) return answer_dry_run(*call, count);
        if (count.total > order.expected)
          return call->fail({ErrorCode::preview_stale,
                             fmt::format("{} jobs match now, {} were previewed; preview again.",
                                         count.total, order.expected)});
        start(call, order);
      });
}

}  // namespace

void begin_by_filter(const RequestPtr& call, OperationVerb verb, const JsonValue& body) {
  std::vector<FieldFault> faults;
  Fields fields(body, "", faults);
  OperationOrder order;
  order.verb = verb;
  std::string token;
  std::int64_t expected = 0;
  bool archive = true, is_dry = false;
  for (const char* name : {"filter", "confirm_token", "expected_count", "reason"})
    fields.require(name);
  fields.text("filter", order.filter_text, 4096);
  fields.text("confirm_token", token, 256);
  fields.integer("expected_count", expected, 0, 1'000'000'000'000);
  if (fields.text("reason", order.reason, 1024) && order.reason.empty())
    fields.wrong("reason", "Say why; it is kept in the audit log.");
  fields.integer("max_per_second", order.per_second_max, 1, 1'000'000);
  fields.flag("confirm", order.confirm);
  if (verb == OperationVerb::erase) {
    fields.flag("validate_only", is_dry);
    if (fields.flag("archive", archive) && !archive) order.keep_copy = Millis{0};
  }
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  if (!read_filter_for(*call, order.filter_text, verb, order.filter)) return;
  const Result<Previewed> seen = read_confirm_token(
      call->api.confirm_key(), preview_of(*call, verb, order.filter), token, call->api.now());
  if (!seen && seen.error().code == ErrorCode::invalid_field) {
    faults.push_back({"/confirm_token", ErrorCode::invalid_field, seen.error().detail});
    return call->fail(faults_problem(std::move(faults)));
  }
  if (!seen) return call->fail(seen.error());
  if (seen->count != expected) {
    faults.push_back({"/expected_count", ErrorCode::invalid_field,
                      fmt::format("The preview has found {} jobs.", seen->count)});
    return call->fail(faults_problem(std::move(faults)));
  }
  order.id = call->api.node().ids().next();
  order.filter = bounded(std::move(order.filter), seen->at);
  order.project = call->principal.project;
  order.who = call->principal.who();
  order.held_key = held_key(*call);
  order.expected = seen->count;
  order.at = call->api.now();
  for (const Scope scope : call->principal.scopes.scopes())
    order.scopes.emplace_back(to_string(scope));
  check_and_start(call, std::move(order), is_dry);
}

void fail_held(RequestContext& call, const Error& error) {
  Problem problem(error);
  const auto alert = error.code == ErrorCode::deletion_hold
                         ? Uuid::parse(std::string_view{error.detail}.substr(0, 36))
                         : std::nullopt;
  if (alert) problem.member("alert_id", json_string(alert->text()));
  call.fail(problem);
}

void delete_preview(RequestPtr call) {
  if (!call->allow_only({})) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  std::string text, verb_text = "delete";
  fields.require("filter");
  fields.text("filter", text, 4096);
  fields.text("verb", verb_text, 16);
  const std::optional<OperationVerb> verb = parse_operation_verb(verb_text);
  if (!verb) fields.wrong("verb", "This is delete, cancel or retry.");
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  storage::JobFilter filter;
  if (!read_filter_for(*call, text, *verb, filter)) return;
  // Ids tell milliseconds. Up to the end of the present one, so that what was submitted before this
  // call is seen; and not before it is over, so that nothing is caught that is submitted behind it.
  const Instant at = call->api.now() + Millis{1};
  call->api.loop().after(Millis{1}, [call, verb = *verb, filter, at] {
    count_matches(call, bounded(filter, at), true, [call, verb, filter, at](const auto& count) {
      answer_preview(*call, verb, filter, at, count);
    });
  });
}

void delete_by_filter(RequestPtr call) {
  if (!call->allow_only({})) return;
  if (const std::optional<JsonValue> body = call->body())
    begin_by_filter(call, OperationVerb::erase, *body);
}

}  // namespace quell::http::handlers
