// The copies that deletes have left: what there is, one of them, and bringing jobs back.
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/job_request.hpp"
#include "http/api/list_filter.hpp"
#include "http/api/page_token.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"

namespace quell::http::handlers {

namespace {

constexpr std::int64_t largest_copy_page = 500;

void write_head(ObjectWriter& view, const storage::CopyHead& head) {
  view.text("job_id", head.job.text());
  view.text("delete_id", head.delete_id.text());
  view.text("project", head.project);
  view.text("queue", head.queue);
  view.text("kind", head.kind);
  view.text("was", to_string(head.was));
  view.time("deleted_at", head.at);
  view.time("copy_kept_until", head.until);
  view.number("bytes", head.bytes);
}

std::string copy_json(const storage::CopyView& copy) {
  std::string out;
  {
    ObjectWriter view(out);
    write_head(view, copy.head);
    append_job(view.key("job"), copy.job);
    append_list(view.key("attempts"), copy.attempts, append_attempt);
    append_list(view.key("steps"), copy.steps,
                [](std::string& to, const storage::StepResult& step) {
                  ObjectWriter one(to);
                  one.text("name", step.name);
                  one.json("result", step.result);
                });
    append_list(view.key("partials"), copy.partials,
                [](std::string& to, const std::string& text) { append_quoted(to, text); });
    append_list(view.key("logs"), copy.logs, [](std::string& to, const storage::LogLine& line) {
      ObjectWriter one(to);
      one.time("at", line.at);
      one.text("level", line.level);
      one.text("text", line.text);
    });
  }
  return out;
}

// What a copy can be found by without being opened.
bool read_copy_filter(RequestContext& call, const std::string& text, storage::CopyQuery& query,
                      std::string& bound_to) {
  storage::JobFilter filter;
  if (!text.empty())
    if (Result<void> read = read_filter(text, filter); !read) return call.fail(read.error()), false;
  if (!filter.tag.empty() || !filter.schedule.empty() || filter.created_from ||
      filter.created_before)
    return call.fail({ErrorCode::invalid_filter,
                      "Copies are found by status, queue, kind, project and delete_id."}),
           false;
  const std::string& own = call.principal.project;
  if (!own.empty() && !filter.project.empty() && filter.project != own)
    return call.fail({ErrorCode::forbidden, "The token belongs to another project."}), false;
  if (!own.empty()) filter.project = own;
  bound_to = "archive " + filter_text(filter);
  query.project = filter.project;
  query.queue = filter.queue;
  query.kind = filter.kind;
  query.was = filter.states;
  return true;
}

bool read_copy_query(RequestContext& call, storage::CopyQuery& query, std::string& bound_to) {
  if (!read_copy_filter(call, call.query("filter").value_or(""), query, bound_to)) return false;
  const auto delete_id = call.query("delete_id");
  if (!delete_id) return true;
  query.delete_id = Uuid::parse(*delete_id);
  if (!query.delete_id)
    return call.fail({ErrorCode::invalid_field, "'delete_id' is the id of a delete."}), false;
  bound_to += " " + *delete_id;
  return true;
}

bool read_copy_page(RequestContext& call, storage::CopyQuery& query, const std::string& bound_to) {
  const auto size = call.number("page_size", 50, 0, 1'000'000);
  if (!size) return false;
  query.limit = static_cast<int>(*size == 0 ? 50 : std::min(*size, largest_copy_page));
  const std::optional<std::string> token = call.query("page_token");
  if (!token || token->empty()) return true;
  const Result<std::string> after = read_page_token(call.api.page_key(), bound_to, *token);
  if (!after) return call.fail(after.error()), false;
  query.after = Uuid::parse(*after);
  return true;
}

// ---- restore ----
// False: there are more than a call may have.
bool read_named(RequestContext& call, Fields& fields, RestoreRequest& request) {
  std::vector<JsonValue> items;
  fields.require("job_ids");
  if (fields.array("job_ids", items) && items.empty())
    fields.wrong("job_ids", "At least one id is needed.");
  if (items.size() > static_cast<std::size_t>(call.api.settings().ids_max)) return false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::optional<std::string> text = items[i].string();
    const std::optional<Uuid> id = text ? Uuid::parse(*text) : std::nullopt;
    if (id)
      request.jobs.push_back(*id);
    else
      fields.wrong("job_ids", "Item " + std::to_string(i) + " is not an id; ids are UUIDs.");
  }
  return true;
}

void read_expected(Fields& fields, RestoreRequest& request) {
  std::int64_t expected = 0;
  std::vector<JsonValue> items;
  fields.flag("validate_only", request.only_count);
  if (!request.only_count) fields.require("expected_count");
  fields.integer("expected_count", expected, 0, 1'000'000'000'000);
  request.expected = static_cast<std::uint64_t>(expected);
  if (fields.array("job_ids", items)) fields.wrong("job_ids", "Give either ids or a filter.");
}

bool read_matching(RequestContext& call, const std::string& filter, RestoreRequest& request) {
  if (filter.find_first_not_of(' ') == std::string::npos)
    return call.fail({ErrorCode::invalid_filter,
                      "The filter is empty; name at least one of status, queue, kind or project."}),
           false;
  std::string bound_to;
  return read_copy_filter(call, filter, request.matching.emplace(), bound_to);
}

std::optional<RestoreRequest> read_restore(RequestContext& call, bool with_ids) {
  const std::optional<JsonValue> body = call.body();
  if (!body) return std::nullopt;
  RestoreRequest request;
  request.who = call.principal.who();
  request.project = call.principal.project;
  // What waits would run, and what it runs within itself: held to what a submit is held to.
  request.refuses = [&node = call.api.node(), scopes = call.principal.scopes](
                        const std::string& kind, const std::string& args) {
    return !may_run(node.registry(), kind, args, scopes, node.settings().exec_enabled);
  };
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  fields.flag("rerun", request.rerun);
  fields.flag("drop_key", request.drop_key);
  std::string filter;
  const bool by_filter = with_ids && fields.text("filter", filter, 4096);
  bool fits = true;
  if (by_filter)
    read_expected(fields, request);
  else if (with_ids)
    fits = read_named(call, fields, request);
  fields.refuse_rest();
  if (!fits) return call.fail({ErrorCode::too_many_ids}), std::nullopt;
  if (!faults.empty()) return call.fail(faults_problem(std::move(faults))), std::nullopt;
  if (by_filter && !read_matching(call, filter, request)) return std::nullopt;
  return request;
}

void append_restored(std::string& out, const RestoreOutcome& one) {
  using storage::RestoreAnswer;
  ObjectWriter view(out);
  view.text("job_id", one.job.text());
  view.text("outcome", quell::to_string(one.result.answer));
  if (one.result.answer == RestoreAnswer::no_copy || one.result.answer == RestoreAnswer::damaged)
    return;
  view.text("was", to_string(one.result.was));
  view.text("delete_id", one.result.delete_id.text());
  if (one.result.answer == RestoreAnswer::unique_conflict)
    view.text("existing_job_id", one.result.existing.text());
  if (one.result.answer != RestoreAnswer::restored) return;
  view.text("status", to_string(one.result.state));
  view.number("epoch", one.result.epoch);
}

std::string restored_json(const RestoreReport& report) {
  std::string out;
  {
    ObjectWriter view(out);
    view.flag("success", report.failed == 0);
    view.number("asked", static_cast<std::int64_t>(report.asked));
    view.number("restored", static_cast<std::int64_t>(report.restored));
    view.number("failed", static_cast<std::int64_t>(report.failed));
    append_list(view.key("outcomes"), report.outcomes, append_restored);
    view.flag("outcomes_cut", report.is_cut);
  }
  return out;
}

void restore(const RequestPtr& call, RestoreRequest request,
             std::function<void(const RestoreReport&)> then) {
  call->api.node().restore(
      std::move(request),
      call->on_loop<RestoreReport>([call, next = std::move(then)](Result<RestoreReport> report) {
        if (!report) return call->fail(report.error());
        next(*report);
      }));
}

// One job that did not come back is a refusal, as of any other single call.
void answer_one(RequestContext& call, const RestoreReport& report) {
  using storage::RestoreAnswer;
  const storage::RestoreResult& result = report.outcomes.front().result;
  switch (result.answer) {
    case RestoreAnswer::restored:
      return call.reply(200, restored_json(report));
    case RestoreAnswer::no_copy:
      return call.fail({ErrorCode::resource_not_found,
                        "No copy of this job is kept: none was made, its time is over, or it was "
                        "restored before."});
    case RestoreAnswer::id_taken:
      return call.fail({ErrorCode::job_id_taken});
    case RestoreAnswer::unique_conflict:
      return call.fail(Problem(ErrorCode::unique_conflict,
                               "Repeat with drop_key to restore the job without its unique key.")
                           .member("existing_job_id", json_string(result.existing.text())));
    case RestoreAnswer::refused:
      return call.fail({ErrorCode::forbidden,
                        "The job would run, and this token may not submit such a job; its kind, or "
                        "one within it, needs another scope."});
    case RestoreAnswer::damaged:
      return call.fail({ErrorCode::store_corrupt, "The copy cannot be read."});
  }
}

}  // namespace

void list_archive(RequestPtr call) {
  if (!call->allow_only({"filter", "delete_id", "page_size", "page_token"})) return;
  storage::CopyQuery query;
  std::string bound_to;
  if (!read_copy_query(*call, query, bound_to)) return;
  if (!read_copy_page(*call, query, bound_to)) return;
  query.now = call->api.now();
  call->read([call, query, bound_to](storage::Reader& reader) {
    const auto copies = reader.copies(query);
    if (!copies) return call->fail(copies.error());
    std::string out = "{\"copies\":";
    append_list(out, *copies, [](std::string& to, const storage::CopyHead& head) {
      ObjectWriter view(to);
      write_head(view, head);
    });
    std::string next;
    if (static_cast<int>(copies->size()) == query.limit)
      next = make_page_token(call->api.page_key(), bound_to, copies->back().job.text());
    call->reply(200, out + ",\"next_page_token\":" + json_string(next) + '}');
  });
}

void get_archived(RequestPtr call) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  call->read([call, id = *id](storage::Reader& reader) {
    const auto copy = reader.copy(id, call->api.now());
    if (!copy) return call->fail(copy.error());
    const std::string& own = call->principal.project;
    if (!*copy || (!own.empty() && (*copy)->job.project != own))
      return call->fail({ErrorCode::resource_not_found});
    call->reply(200, copy_json(**copy));
  });
}

void restore_job(RequestPtr call) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  auto request = read_restore(*call, false);
  if (!request) return;
  request->jobs = {*id};
  restore(call, std::move(*request),
          [call](const RestoreReport& report) { answer_one(*call, report); });
}

void restore_jobs(RequestPtr call) {
  if (!call->allow_only({})) return;
  auto request = read_restore(*call, true);
  if (!request) return;
  restore(call, std::move(*request),
          [call](const RestoreReport& report) { call->reply(200, restored_json(report)); });
}

void undo_deletion(RequestPtr call) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  auto request = read_restore(*call, false);
  if (!request) return;
  request->delete_id = *id;
  restore(call, std::move(*request), [call, id = *id](const RestoreReport& report) {
    if (report.asked > 0) return call->reply(200, restored_json(report));
    call->read([call, id](storage::Reader& reader) {
      const auto known = reader.call(id);
      if (!known) return call->fail(known.error());
      if (!*known) return call->fail({ErrorCode::resource_not_found});
      call->fail({ErrorCode::resource_not_found,
                  "No copy is left of this delete: none was kept, their time is over, or they "
                  "were restored before."});
    });
  });
}

}  // namespace quell::http::handlers
