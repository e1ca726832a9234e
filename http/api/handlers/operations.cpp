// Operations over many jobs: how far they are, their outcomes, and pause, resume and stop.
#include <algorithm>

#include "actors/operations/operation_outcomes.hpp"
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/page_token.hpp"
#include "http/api/views/operation_view.hpp"
#include "http/api/views/views.hpp"

namespace quell::http::handlers {

namespace {

constexpr std::size_t operations_shown = 500;

bool is_visible(const Principal& who, const Operation& operation) {
  return who.project.empty() || who.project == operation.project;
}

// Nothing, and answered, when it is not there or not this caller's to see.
std::optional<Operation> find_operation(RequestContext& call, storage::Reader& reader, Uuid id) {
  for (const char* kind : {operation_kind, ended_operation_kind}) {
    const Result<std::optional<storage::Doc>> doc = reader.doc(kind, id.text());
    if (!doc) return call.fail(doc.error()), std::nullopt;
    if (!*doc) continue;
    std::optional<Operation> operation = operation_from_json((*doc)->body);
    if (operation && is_visible(call.principal, *operation)) return operation;
  }
  return call.fail({ErrorCode::resource_not_found}), std::nullopt;
}

void steer(const RequestPtr& call, OperationWish wish) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id || !call->has_empty_body()) return;
  call->read([call, id = *id, wish](storage::Reader& reader) {
    const std::optional<Operation> operation = find_operation(*call, reader, id);
    if (!operation) return;
    const Scope needed =
        operation->verb == OperationVerb::erase ? Scope::jobs_delete_filter : Scope::jobs_write;
    if (!call->has(needed)) {
      Problem refused(ErrorCode::forbidden,
                      "This needs the scope '" + std::string{to_string(needed)} + "'.");
      refused.member("scope", json_string(to_string(needed)));
      return call->fail(refused);
    }
    call->api.node().steer_operation(
        *operation, wish, call->principal.who(),
        call->on_loop<void>([call, id, wish](const Result<void>& done) {
          if (!done) return call->fail(done.error());
          std::string out;
          {
            ObjectWriter view(out);
            view.text("operation_id", id.text());
            view.text("wish", to_string(wish));
          }
          call->reply(202, std::move(out));
        }));
  });
}

void append_grave(std::string& out, const storage::Tombstone& grave) {
  ObjectWriter one(out);
  one.text("job_id", grave.job.text());
  one.text("outcome", "deleted");
  one.text("was", to_string(grave.was));
  one.text("verdict", to_string(grave.verdict));
  one.time("deleted_at", grave.at);
}

struct OutcomesAt {
  std::optional<Uuid> page;    // of those that are kept; they come first
  std::optional<JobId> after;  // among the tombstones
  bool in_graves = false;
};

// "p:<page>" or "g:<job>".
bool read_place(RequestContext& call, const std::string& bound_to, OutcomesAt& at) {
  const std::optional<std::string> token = call.query("page_token");
  if (!token || token->empty()) return true;
  const Result<std::string> place = read_page_token(call.api.page_key(), bound_to, *token);
  const auto id = place && place->size() > 2 ? Uuid::parse(place->substr(2)) : std::nullopt;
  if (!place || (!id && *place != "g:")) return call.fail({ErrorCode::invalid_page_token}), false;
  at.in_graves = place->front() == 'g';
  (at.in_graves ? at.after : at.page) = id;
  return true;
}

void show_outcomes(RequestContext& call, storage::Reader& reader, const Operation& operation,
                   const OutcomesAt& at, int limit, const std::string& bound_to) {
  std::string items, next;
  const std::optional<Uuid> page = at.in_graves ? std::nullopt
                                   : at.page    ? at.page
                                                : operation.outcomes;
  const bool deletes = operation.verb == OperationVerb::erase;
  if (page) {
    const Result<std::optional<storage::Doc>> doc =
        reader.doc(operation_outcomes_kind, page->text());
    if (!doc) return call.fail(doc.error());
    const std::optional<OutcomePage> found = *doc ? outcomes_of(**doc) : std::nullopt;
    if (found) items = found->items;
    if (found && found->before)
      next = "p:" + found->before->text();
    else if (deletes)
      next = "g:";
  } else if (deletes) {
    const auto graves = reader.tombstones(operation.id, at.after, limit);
    if (!graves) return call.fail(graves.error());
    for (const storage::Tombstone& grave : *graves) {
      if (!items.empty()) items += ',';
      append_grave(items, grave);
    }
    if (std::ssize(*graves) == limit) next = "g:" + graves->back().job.text();
  }
  if (!next.empty()) next = make_page_token(call.api.page_key(), bound_to, next);
  call.reply(200, "{\"outcomes\":[" + items + "],\"next_page_token\":" + json_string(next) + '}');
}

}  // namespace

void list_operations(RequestPtr call) {
  if (!call->allow_only({"state"})) return;
  const std::optional<std::string> state = call->query("state");
  if (state && !parse_operation_state(*state))
    return call->fail(
        {ErrorCode::invalid_field, "'state' takes running, paused, settling, done or stopped."});
  call->read([call, state](storage::Reader& reader) {
    std::vector<Operation> all;
    for (const char* kind : {operation_kind, ended_operation_kind}) {
      const auto docs = reader.docs(kind, "");
      if (!docs) return call->fail(docs.error());
      for (const storage::Doc& doc : *docs) {
        auto operation = operation_from_json(doc.body);
        if (!operation || !is_visible(call->principal, *operation)) continue;
        if (state && to_string(operation->state) != *state) continue;
        operation->slice.clear();
        all.push_back(std::move(*operation));
      }
    }
    std::sort(all.begin(), all.end(),
              [](const Operation& a, const Operation& b) { return b.id < a.id; });
    if (all.size() > operations_shown) all.resize(operations_shown);
    std::string out = "{\"operations\":";
    append_list(out, all, append_operation);
    call->reply(200, out + '}');
  });
}

void get_operation(RequestPtr call) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  call->read([call, id = *id](storage::Reader& reader) {
    const std::optional<Operation> operation = find_operation(*call, reader, id);
    if (!operation) return;
    std::string out;
    append_operation(out, *operation);
    call->reply(200, std::move(out));
  });
}

void pause_operation(RequestPtr call) {
  steer(call, OperationWish::pause);
}
void resume_operation(RequestPtr call) {
  steer(call, OperationWish::resume);
}
void stop_operation(RequestPtr call) {
  steer(call, OperationWish::stop);
}

void operation_outcomes(RequestPtr call) {
  if (!call->allow_only({"page_size", "page_token"})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  const auto size = call->number("page_size", 500, 1, 1'000);
  if (!size) return;
  const std::string bound_to = "outcomes of " + id->text();
  OutcomesAt at;
  if (!read_place(*call, bound_to, at)) return;
  call->read(
      [call, id = *id, at, limit = static_cast<int>(*size), bound_to](storage::Reader& reader) {
        const std::optional<Operation> operation = find_operation(*call, reader, id);
        if (operation) show_outcomes(*call, reader, *operation, at, limit, bound_to);
      });
}

}  // namespace quell::http::handlers
