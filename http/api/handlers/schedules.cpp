// Schedules: made, read, changed, paused and fired by hand.
#include <algorithm>
#include <iterator>

#include "actors/schedules/fires.hpp"
#include "http/api/api_server.hpp"
#include "http/api/doc_version.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/idempotency.hpp"
#include "http/api/page_token.hpp"
#include "http/api/schedule_request.hpp"
#include "http/api/submit_terms.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/schedule_views.hpp"
#include "http/api/views/views.hpp"

namespace quell::http::handlers {

namespace {

constexpr std::int64_t largest_page = 500;
// Another change may come between what is read and what is written; without a wish of the caller
// for a version it is then done on what is there now.
constexpr int most_tries = 5;

using Change = std::function<bool(ScheduleAsked&)>;  // false: the call is answered

// The schedule of parameter 0, if the caller's token may see it; else the call is answered.
std::optional<storage::ScheduleRow> find_schedule(RequestContext& call, storage::Reader& reader) {
  const auto id = call.id(0, ErrorCode::resource_not_found);
  if (!id) return std::nullopt;
  const auto found = reader.schedule(*id);
  if (!found) return call.fail(found.error()), std::nullopt;
  const std::string& own = call.principal.project;
  if (!*found || (!own.empty() && (*found)->project != own))
    return call.fail({ErrorCode::resource_not_found}), std::nullopt;
  return *found;
}

void reply_schedule(RequestContext& call, int status, const storage::ScheduleRow& row) {
  Response response;
  response.status = status;
  append_schedule(response.body, row);
  response.headers.emplace_back("ETag", version_tag(row.version));
  if (status == 201)
    response.headers.emplace_back("Location", "/api/v1/schedules/" + row.id.text());
  call.reply(std::move(response));
}

void reply_stored(const RequestPtr& call, int status, const Uuid& id) {
  call->read([call, status, id](storage::Reader& reader) {
    const auto row = reader.schedule(id);
    if (!row) return call->fail(row.error());
    if (!*row) return call->fail({ErrorCode::resource_not_found});
    reply_schedule(*call, status, **row);
  });
}

bool may_put_in_the_way(RequestContext& call, const ScheduleTerms& terms) {
  const Result<void> allowed =
      may_run(call.api.node().registry(), terms.job.kind, terms.job.args, call.principal.scopes,
              call.api.node().settings().exec_enabled);
  if (!allowed) call.fail(allowed.error());
  return allowed.ok();
}

bool is_closed_answered(RequestContext& call, const std::string& queue) {
  const std::vector<QueueView> queues = call.api.node().queues();
  const bool is_closed = std::any_of(queues.begin(), queues.end(), [&](const QueueView& view) {
    return view.name == queue && view.closed;
  });
  if (is_closed) call.fail({ErrorCode::queue_closed, queue});
  return is_closed;
}

bool is_leaving_answered(RequestContext& call, ScheduleStatus status) {
  if (!is_leaving(status)) return false;
  call.fail({ErrorCode::state_conflict,
             "The schedule is " + std::string(to_string(status)) + ": it is being deleted."});
  return true;
}

// What is due stays due unless its moments change: how late it may be is for the next look at it.
storage::SchedulePutOp put_of(ScheduleAsked asked, const storage::ScheduleRow& was, Instant now) {
  const TimesTold told = terms_from_json(was.terms).times;
  const TimesTold& times = asked.terms.times;
  asked.row.terms = to_json(asked.terms);
  if (!are_same_moments(told, times) || was.status != asked.row.status) {
    set_times(asked.row, asked.terms, now);
    return put_with_new_times(std::move(asked.row), was, now);
  }
  storage::SchedulePutOp op{std::move(asked.row), now, was.version, true};
  op.look_anew = told.jitter != times.jitter;
  return op;
}

void change(const RequestPtr& call, const std::string& what, const Change& apply, int tries);

void written(const RequestPtr& call, const storage::SchedulePutResult& put, const Uuid& id,
             bool has_wish, const std::string& what, const Change& apply, int tries) {
  if (put.written) return reply_stored(call, 200, id);
  if (put.status && is_leaving_answered(*call, *put.status)) return;
  if (!put.status) return call->fail({ErrorCode::resource_not_found});
  if (has_wish) return fail_version(*call, put.version);
  if (tries <= 1) return call->fail({ErrorCode::state_conflict, "It is being changed by others."});
  change(call, what, apply, tries - 1);
}

void change(const RequestPtr& call, const std::string& what, const Change& apply, int tries) {
  const auto wanted = version_wanted(*call);
  if (!wanted) return;
  call->read([call, what, apply, tries, wanted = *wanted](storage::Reader& reader) {
    const auto row = find_schedule(*call, reader);
    if (!row || is_leaving_answered(*call, row->status)) return;
    if (wanted.version && *wanted.version != row->version) return fail_version(*call, row->version);
    ScheduleAsked asked{*row, terms_from_json(row->terms)};
    if (!apply(asked)) return;
    storage::Batch batch;
    batch.schedule_puts.push_back(put_of(std::move(asked), *row, call->api.now()));
    batch.schedule_puts.back().audit = {call->api.now(), call->principal.who(), what,
                                        row->id.text(),
                                        "{\"version\":" + std::to_string(row->version) + "}"};
    call->api.node().write(
        std::move(batch),
        call->on_loop<storage::Outcome>(
            [call, what, apply, tries, id = row->id,
             has_wish = wanted.version.has_value()](const Result<storage::Outcome>& done) {
              if (!done) return call->fail(done.error());
              written(call, done->schedule_puts.front(), id, has_wish, what, apply, tries);
            }));
  });
}

void set_status(const RequestPtr& call, ScheduleStatus status, const char* what) {
  if (!call->allow_only({}) || !call->has_empty_body()) return;
  change(
      call, what,
      [call, status](ScheduleAsked& asked) {
        asked.row.status = status;
        return status != ScheduleStatus::active || may_put_in_the_way(*call, asked.terms);
      },
      most_tries);
}

bool read_page(RequestContext& call, const std::string& bound_to, int& limit,
               std::optional<Uuid>& after) {
  const auto size = call.number("page_size", 50, 0, 1'000'000);
  if (!size) return false;
  limit = static_cast<int>(*size == 0 ? 50 : std::min(*size, largest_page));
  const std::optional<std::string> token = call.query("page_token");
  if (!token || token->empty()) return true;
  const Result<std::string> text = read_page_token(call.api.page_key(), bound_to, *token);
  if (!text) return call.fail(text.error()), false;
  after = Uuid::parse(*text);
  if (!after) return call.fail({ErrorCode::invalid_page_token}), false;
  return true;
}

// What no schedule has is wrong whether or not this one is there.
std::vector<FieldFault> unknown_fields(const RequestContext& call, JsonValue body) {
  std::vector<FieldFault> faults, unknown;
  ScheduleAsked nobodys;
  read_schedule(body, submit_terms(call), call.api.node().ids(), false, nobodys, faults);
  std::copy_if(faults.begin(), faults.end(), std::back_inserter(unknown),
               [](const FieldFault& one) { return one.code == ErrorCode::unknown_field; });
  return unknown;
}

// Between a repeat's look and its write the first call made it, and it was deleted: it stays so.
void take_back(const RequestPtr& call, const Uuid& id) {
  TaskDeleteRequest request;
  request.task = id;
  request.who = call->principal.who();
  request.reason = "made again by a repeated call";
  request.request_id = call->request_id;
  request.confirm = true;
  call->api.node().delete_task(std::move(request),
                               call->on_loop<TaskDeleteReport>([call](const auto& report) {
                                 if (!report) return call->fail(report.error());
                                 call->fail({ErrorCode::resource_not_found});
                               }));
}

// It would be there and never fire: what has passed is not made up for.
bool is_past_answered(RequestContext& call, const TimesTold& times) {
  if (!times.at || *times.at > call.api.now()) return false;
  call.fail(faults_problem({{"/at", ErrorCode::invalid_field,
                             "This moment has passed; give one to come, or submit the job."}}));
  return true;
}

void create(const RequestPtr& call, ScheduleAsked asked) {
  asked.row.terms = to_json(asked.terms);
  set_times(asked.row, asked.terms, asked.row.created);
  const Uuid id = asked.row.id;
  const bool under_key = has_key(*call);
  // Not before: what a repeat was to make may have been made in its time.
  if (is_past_answered(*call, asked.terms.times)) {
    if (under_key) forget_key(*call);
    return;
  }
  storage::Batch batch;
  if (under_key) batch.docs.push_back(made_under_key(*call, {id}));
  const Instant now = asked.row.created;
  const std::string detail = "{\"name\":" + json_string(asked.row.name) + "}";
  batch.schedule_puts.push_back({std::move(asked.row), now, 0});
  batch.schedule_puts.back().audit = {now, call->principal.who(), "schedule.created", id.text(),
                                      detail};
  call->api.node().write(
      std::move(batch),
      call->on_loop<storage::Outcome>([call, id, under_key](const Result<storage::Outcome>& done) {
        if (!done) return call->fail(done.error());
        const bool is_ours = done->schedule_puts.front().written;
        // False: another call under the key was faster; what is there is what this one would make.
        const bool is_first = !under_key || done->docs.front().written;
        if (is_ours && !is_first) return take_back(call, id);
        if (is_ours || !is_first) return reply_stored(call, 201, id);
        if (under_key) forget_key(*call);
        call->fail({ErrorCode::state_conflict, "A schedule with this id is there."});
      }));
}

// Told as it is now; one that was deleted meanwhile stays deleted.
void repeat_create(const RequestPtr& call, const ScheduleAsked& asked) {
  call->read([call, asked](storage::Reader& reader) {
    const bool was_made = is_made(*call, reader);  // before the look: what is made later is seen
    const auto row = reader.schedule(asked.row.id);
    if (!row) return call->fail(row.error());
    if (*row && (*row)->project == asked.row.project) return reply_schedule(*call, 201, **row);
    if (was_made || *row) return call->fail({ErrorCode::resource_not_found});
    call->post([call, asked] { create(call, asked); });
  });
}

// The job that has the unique key is named as by a submit.
Problem key_taken(const storage::FireResult& fire) {
  Problem problem(ErrorCode::unique_conflict);
  if (fire.existing)
    problem.member("existing_job_id", json_string(fire.existing->text()))
        .member("existing_status", json_string(to_string(fire.existing_state)));
  return problem;
}

}  // namespace

void list_schedules(RequestPtr call) {
  if (!call->allow_only({"project", "group", "status", "page_size", "page_token"})) return;
  storage::ScheduleQuery query;
  query.project = call->query("project").value_or(call->principal.project);
  const std::string& own = call->principal.project;
  if (!own.empty() && query.project != own)
    return call->fail({ErrorCode::forbidden, "The token belongs to another project."});
  query.group = call->query("group").value_or("");
  if (const auto text = call->query("status")) {
    query.status = parse_schedule_status(*text);
    if (!query.status)
      return call->fail({ErrorCode::invalid_field,
                         "'status' is ACTIVE, DISABLED, PENDING_DELETE or DELETE_FAILED."});
  }
  const std::string bound_to =
      "schedules " + query.project + " " + query.group + " " + call->query("status").value_or("");
  if (!read_page(*call, bound_to, query.limit, query.after)) return;
  call->read([call, query, bound_to](storage::Reader& reader) {
    storage::ScheduleQuery one_more = query;
    ++one_more.limit;
    auto rows = reader.schedules(one_more);
    if (!rows) return call->fail(rows.error());
    std::string next;
    if (rows->size() > static_cast<std::size_t>(query.limit)) {
      rows->pop_back();
      next = make_page_token(call->api.page_key(), bound_to, rows->back().id.text());
    }
    std::string out = "{\"schedules\":";
    append_list(out, *rows, append_schedule);
    call->reply(200, out + ",\"next_page_token\":" + json_string(next) + "}");
  });
}

void create_schedule(RequestPtr call) {
  if (!call->allow_only({}) || !call->expects_json()) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  ScheduleAsked asked;
  asked.row.id = call->api.node().ids().next();
  asked.row.created = call->api.now();
  read_schedule(*body, submit_terms(*call), call->api.node().ids(), true, asked, faults);
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  const Uuid drawn = asked.row.id;
  once(call, std::vector{drawn},
       [call, asked = std::move(asked)](const std::vector<Uuid>& ids, bool is_repeat) {
         ScheduleAsked one = asked;
         one.row.id = ids.front();
         if (is_repeat) return repeat_create(call, one);
         create(call, one);
       });
}

void get_schedule(RequestPtr call) {
  if (!call->allow_only({})) return;
  call->read([call](storage::Reader& reader) {
    if (const auto row = find_schedule(*call, reader)) reply_schedule(*call, 200, *row);
  });
}

void update_schedule(RequestPtr call) {
  if (!call->allow_only({}) || !call->expects_json()) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  if (auto strange = unknown_fields(*call, *body); !strange.empty())
    return call->fail(faults_problem(std::move(strange)));
  change(
      call, "schedule.changed",
      [call](ScheduleAsked& asked) {
        std::vector<FieldFault> faults;
        const std::optional<Instant> at = asked.terms.times.at;
        read_schedule(*call->body(), submit_terms(*call), call->api.node().ids(), false, asked,
                      faults);
        if (faults.empty() && asked.terms.times.at != at &&
            is_past_answered(*call, asked.terms.times))
          return false;
        if (faults.empty()) return may_put_in_the_way(*call, asked.terms);
        call->fail(faults_problem(std::move(faults)));
        return false;
      },
      most_tries);
}

void pause_schedule(RequestPtr call) {
  set_status(call, ScheduleStatus::disabled, "schedule.paused");
}

void resume_schedule(RequestPtr call) {
  set_status(call, ScheduleStatus::active, "schedule.resumed");
}

void run_schedule(RequestPtr call) {
  if (!call->allow_only({}) || !call->has_empty_body()) return;
  const auto wanted = version_wanted(*call);
  if (!wanted) return;
  call->read([call, wanted = *wanted](storage::Reader& reader) {
    const auto row = find_schedule(*call, reader);
    if (!row || is_leaving_answered(*call, row->status)) return;
    if (wanted.version && *wanted.version != row->version) return fail_version(*call, row->version);
    const ScheduleTerms terms = terms_from_json(row->terms);
    if (!may_put_in_the_way(*call, terms) || is_closed_answered(*call, terms.job.queue)) return;
    const Uuid job = call->api.node().ids().next();
    storage::Batch batch;
    batch.fires.push_back(fire_by_hand(*row, call->api.now(), job));
    batch.fires.back().if_version = wanted.version;
    batch.fires.back().audit = {call->api.now(), call->principal.who(), "schedule.run",
                                row->id.text(), "{\"job_id\":" + json_string(job.text()) + "}"};
    call->api.node().write(
        std::move(batch),
        call->on_loop<storage::Outcome>(
            [call, id = row->id, job](const Result<storage::Outcome>& done) {
              if (!done) return call->fail(done.error());
              const storage::FireResult& fire = done->fires.front();
              if (fire.answer == storage::FireAnswer::fenced)
                return call->fail({ErrorCode::state_conflict, "The schedule is being deleted."});
              if (fire.answer == storage::FireAnswer::changed)
                return fail_version(*call, fire.version);
              if (fire.answer == storage::FireAnswer::held_back) return call->fail(key_taken(fire));
              Response response;
              response.status = 201;
              response.headers.emplace_back("Location", "/api/v1/jobs/" + job.text());
              response.body = "{\"task_uuid\":" + json_string(id.text()) +
                              ",\"job_id\":" + json_string(job.text()) + "}";
              call->reply(std::move(response));
            }));
  });
}

void next_fires(RequestPtr call) {
  if (!call->allow_only({"count"})) return;
  const auto count = call->number("count", 10, 1, 1'000);
  if (!count) return;
  call->read([call, count = static_cast<std::size_t>(*count)](storage::Reader& reader) {
    if (const auto row = find_schedule(*call, reader))
      call->reply(200, next_fires_json(*row, call->api.now(), count));
  });
}

void list_runs(RequestPtr call) {
  if (!call->allow_only({"page_size", "page_token"})) return;
  const std::string bound_to = "runs of " + call->params.at(0);
  storage::ListQuery query;
  query.with_payload = true;
  if (!read_page(*call, bound_to, query.limit, query.after)) return;
  call->read([call, query, bound_to](storage::Reader& reader) {
    const auto row = find_schedule(*call, reader);
    if (!row) return;
    storage::ListQuery own = query;
    own.filter.schedule = row->id.text();
    const auto page = reader.list(own);
    if (!page) return call->fail(page.error());
    std::string next;
    if (page->next) next = make_page_token(call->api.page_key(), bound_to, page->next->text());
    std::string out = "{\"runs\":";
    append_list(out, page->jobs, [](std::string& to, const JobView& job) { append_job(to, job); });
    call->reply(200, out + ",\"next_page_token\":" + json_string(next) + "}");
  });
}

}  // namespace quell::http::handlers
