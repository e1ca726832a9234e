// Delete calls: what was asked, how far it is, its receipt; and pushing one that does not end.
#include <algorithm>
#include <set>

#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/page_token.hpp"
#include "http/api/views/delete_views.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "storage/call_slices.hpp"

namespace quell::http::handlers {

namespace {

constexpr int largest_page = 500;
constexpr int shown_jobs = 1'000, largest_open = 100'000;

// A call that is marked is done when it has no ticket and what it joined has none either; one that
// found nothing to delete has no receipt.
void append_call(std::string& out, const storage::CallView& view, bool is_open,
                 const std::vector<storage::TicketView>* open,
                 const std::vector<storage::Tombstone>* gone) {
  ObjectWriter object(out);
  object.text("delete_id", view.delete_id.text());
  object.text("state", view.is_marked && !is_open ? "DELETED" : "PENDING_DELETE");
  object.text("who", view.who);
  object.text_or_null("reason", view.reason);
  object.text("path", view.path);
  object.time("at", view.at);
  object.json("counts", view.counts);
  if (open != nullptr) append_list(object.key("pending"), *open, append_ticket);
  if (gone != nullptr) {
    append_list(object.key("outcomes"), *gone, [](std::string& to, const storage::Tombstone& t) {
      ObjectWriter one(to);
      one.text("job_id", t.job.text());
      one.text("outcome", "deleted");
      one.text("was", to_string(t.was));
      one.text("verdict", to_string(t.verdict));
      one.time("deleted_at", t.at);
      one.time("copy_kept_until", t.copy_until);
      one.flag("restored", t.restored);
    });
  }
  object.json("receipt", view.receipt);
}

void list_open(const RequestPtr& call, std::vector<JobState> states) {
  call->read([call, states = std::move(states)](storage::Reader& reader) {
    Result<std::vector<storage::TicketView>> tickets =
        reader.tickets(std::nullopt, false, call->api.now(), shown_jobs);
    if (!tickets) return call->fail(tickets.error());
    std::erase_if(*tickets, [&states](const storage::TicketView& ticket) {
      return std::find(states.begin(), states.end(), ticket.state) == states.end();
    });
    std::string out = "{\"deletions\":";
    append_list(out, *tickets, append_ticket);
    call->reply(200, out + ",\"next_page_token\":\"\"}");
  });
}

// A call does not say whose jobs it was for; a token of one project sees and pushes its own calls,
// and those whose jobs are still there and belong to its project.
bool may_touch(const Principal& who, storage::Reader& reader, const storage::CallView& view,
               const std::vector<storage::TicketView>& open) {
  if (who.project.empty() || view.who == who.who()) return true;
  std::vector<JobId> ids;
  for (const storage::TicketView& ticket : open) ids.push_back(ticket.job);
  const Result<std::vector<storage::Found>> found = reader.get(ids, false);
  return found && !ids.empty() &&
         std::all_of(found->begin(), found->end(), [&who](const storage::Found& one) {
           return one.job && one.job->project == who.project;
         });
}

// Runs `then` on the loop, unless there is no such call, or not for this caller to push.
void push(const RequestPtr& call, DeleteId id, std::function<void()> then,
          std::function<void()> when_unknown = {}) {
  call->read([call, id, next = std::move(then),
              otherwise = std::move(when_unknown)](storage::Reader& reader) {
    const Result<std::optional<storage::CallView>> found = reader.call(id);
    if (!found) return call->fail(found.error());
    const auto open = reader.tickets(id, false, call->api.now(), shown_jobs);
    if (!open) return call->fail(open.error());
    if (!found.value() && otherwise) return call->post(otherwise);
    if (!found.value() || !may_touch(call->principal, reader, *found.value(), open.value()))
      return call->fail({ErrorCode::resource_not_found});
    call->post(next);
  });
}

void answer_report(RequestContext& call, const DeleteReport& report) {
  call.reply(bulk_delete_response(report, OutcomeDetail::full));
}

}  // namespace

void list_deletions(RequestPtr call) {
  if (!call->allow_only({"state", "page_size", "page_token"})) return;
  if (!call->is_of_all_projects("The list of deletions is")) return;
  if (const auto states = call->query("state")) {
    std::vector<JobState> wanted;
    if (states->find("PENDING_DELETE") != std::string::npos ||
        states->find("pending_delete") != std::string::npos)
      wanted.push_back(JobState::pending_delete);
    if (states->find("DELETE_FAILED") != std::string::npos ||
        states->find("delete_failed") != std::string::npos)
      wanted.push_back(JobState::delete_failed);
    if (wanted.empty())
      return call->fail(
          {ErrorCode::invalid_field, "'state' takes PENDING_DELETE and DELETE_FAILED."});
    return list_open(call, std::move(wanted));
  }
  const auto size = call->number("page_size", 50, 1, 1'000'000);
  if (!size) return;
  std::optional<DeleteId> after;
  const std::optional<std::string> token = call->query("page_token");
  if (token && !token->empty()) {
    const Result<std::string> place = read_page_token(call->api.page_key(), "deletions", *token);
    if (!place) return call->fail(place.error());
    after = Uuid::parse(place.value());
  }
  const int limit = static_cast<int>(std::min<std::int64_t>(*size, largest_page));
  call->read([call, after, limit](storage::Reader& reader) {
    const Result<std::vector<storage::CallView>> calls = reader.calls(after, limit);
    if (!calls) return call->fail(calls.error());
    const auto open = reader.tickets(std::nullopt, false, call->api.now(), largest_open);
    if (!open) return call->fail(open.error());
    std::set<DeleteId> pending;
    std::set<JobId> leaving;
    for (const storage::TicketView& ticket : open.value()) {
      pending.insert(ticket.delete_id);
      if (!ticket.forced) leaving.insert(ticket.job);
    }
    const auto is_open = [&](const storage::CallView& view) {
      return pending.contains(view.delete_id) || (view.joined_more && !leaving.empty()) ||
             std::any_of(view.joined.begin(), view.joined.end(),
                         [&](const JobId& job) { return leaving.contains(job); });
    };
    std::string out = "{\"deletions\":";
    append_list(out, calls.value(), [&is_open](std::string& to, const storage::CallView& view) {
      append_call(to, view, is_open(view), nullptr, nullptr);
    });
    std::string next;
    if (static_cast<int>(calls.value().size()) == limit)
      next =
          make_page_token(call->api.page_key(), "deletions", calls.value().back().delete_id.text());
    call->reply(200, out + ",\"next_page_token\":" + json_string(next) + '}');
  });
}

void get_deletion(RequestPtr call) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  call->read([call, id = *id](storage::Reader& reader) {
    const Result<std::optional<storage::CallView>> found = reader.call(id);
    if (!found) return call->fail(found.error());
    if (!found.value()) return call->fail({ErrorCode::resource_not_found});
    const auto open = reader.tickets(id, false, call->api.now(), shown_jobs);
    if (!open) return call->fail(open.error());
    if (!may_touch(call->principal, reader, *found.value(), open.value()))
      return call->fail({ErrorCode::resource_not_found});
    const auto gone = reader.tombstones(id, std::nullopt, shown_jobs);
    if (!gone) return call->fail(gone.error());
    const auto joined = storage::open_joined(reader, *found.value(), call->api.now());
    if (!joined) return call->fail(joined.error());
    const auto view = call->api.node().with_late_receipt(*found.value(), reader);
    if (!view) return call->fail(view.error());
    std::vector<storage::TicketView> pending = open.value();
    // When not all that it joined is known, tickets are among these that are not its own to show.
    if (!found.value()->joined_more) pending.insert(pending.end(), joined->begin(), joined->end());
    if (pending.size() > shown_jobs) pending.resize(shown_jobs);
    // Its rows are gone from one server, and that is not enough here: a receipt says when it is.
    const bool has_gone =
        view.value().receipt.empty() && (!gone.value().empty() || !view.value().joined.empty());
    const bool waits_for_replica = call->api.node().settings().require_replicated && has_gone;
    std::string out;
    const bool is_open = !open->empty() || !joined->empty() || waits_for_replica;
    append_call(out, view.value(), is_open, &pending, &gone.value());
    call->reply(200, std::move(out));
  });
}

void retry_deletion(RequestPtr call) {
  if (!call->allow_only({"wait"})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  const auto wait = call->number("wait", 5, 0, 30);
  if (!wait || !call->has_empty_body()) return;
  push(call, *id, [call, id = *id, at_most = Millis{*wait * 1000}] {
    call->api.node().retry_delete(id, at_most,
                                  call->on_loop<DeleteReport>([call](Result<DeleteReport> report) {
                                    if (!report) return call->fail(report.error());
                                    answer_report(*call, *report);
                                  }));
  });
}

void force_deletion(RequestPtr call) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  ForceRequest request;
  request.delete_id = *id;
  request.who = call->principal.who();
  Fields fields(*body, "", faults);
  fields.require("reason");
  if (fields.text("reason", request.reason, 1024) && request.reason.empty())
    fields.wrong("reason", "This may not be empty.");
  fields.flag("confirm", request.confirm);
  fields.flag("validate_only", request.dry_run);
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  // The law is asked before it is looked whether there is such a delete at all.
  const auto force = [call, request](bool is_known) {
    call->api.node().force_delete(
        request, call->on_loop<DeleteReport>([call, is_known](Result<DeleteReport> report) {
          if (!report) return call->fail(report.error());
          if (!is_known) return call->fail({ErrorCode::resource_not_found});
          answer_report(*call, *report);
        }));
  };
  push(
      call, *id, [force] { force(true); }, [force] { force(false); });
}

}  // namespace quell::http::handlers
