// Tokens: made, listed, revoked. The text of one is shown once, at its birth.
#include <algorithm>

#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/job_request.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/name.hpp"

namespace quell::http::handlers {

namespace {

constexpr double ten_years_s = 10.0 * 366 * 24 * 3600;

void append_token(std::string& out, const TokenRecord& token, const std::string& text) {
  ObjectWriter view(out);
  view.text("token_id", token.id);
  view.text("name", token.name);
  if (!text.empty()) view.text("token", text);
  view.text_or_null("role", token.role);
  append_list(view.key("scopes"), token.scopes.scopes(),
              [](std::string& to, Scope scope) { append_quoted(to, to_string(scope)); });
  view.text_or_null("project", token.project);
  view.time("created_at", token.created);
  view.time("expires_at", token.expires);
  view.time("last_used_at", token.last_used);
}

void read_rights(Fields& fields, const Principal& maker, TokenRecord& token) {
  std::vector<std::string> names;
  const bool by_role = fields.text("role", token.role, 32);
  const bool by_scope = fields.texts("scopes", names, 64, 64);
  if (by_role == by_scope) return fields.wrong("role", "Give either a role or scopes.");
  if (by_role) {
    const std::optional<Role> role = parse_role(token.role);
    if (!role) return fields.wrong("role", "A role is viewer, operator or admin.");
    token.scopes = scopes_of(*role, token.project);
  }
  for (const std::string& name : names) {
    const std::optional<Scope> scope = parse_scope(name);
    if (!scope) return fields.wrong("scopes", "'" + name + "' is not a scope.");
    token.scopes.add(*scope);
  }
  if (!maker.scopes.covers(token.scopes))
    fields.wrong(by_role ? "role" : "scopes", "Nobody can give what they do not have.",
                 ErrorCode::forbidden);
}

void read_term(Fields& fields, Instant now, TokenRecord& token) {
  Instant at;
  Millis span{};
  if (fields.time("expires_at", at)) token.expires = at;
  if (fields.seconds("expires_s", span, 1, ten_years_s)) {
    if (token.expires) return fields.wrong("expires_s", "Give either expires_at or expires_s.");
    token.expires = now + span;
  }
}

// Of the tokens that this caller may see.
std::vector<TokenRecord> visible(const RequestContext& call) {
  std::vector<TokenRecord> all = call.api.auth().all();
  const std::string& own = call.principal.project;
  std::erase_if(all,
                [&own](const TokenRecord& token) { return !own.empty() && token.project != own; });
  return all;
}

constexpr std::string_view no_other_admin =
    "No other administrator's token is valid; make another one first.";

// Another node revoked the one that this one relied on. What was written down of it beside is set
// right.
void last_of_the_fleet(const RequestPtr& call, const std::string& id) {
  storage::Batch batch;
  batch.audits.push_back(
      {call->api.now(), call->principal.who(), "token.revocation_refused", id, "{}"});
  call->api.node().write(std::move(batch), call->on_loop<storage::Outcome>([call](const auto&) {
    call->fail({ErrorCode::state_conflict, std::string{no_other_admin}});
  }));
}

}  // namespace

void create_token(RequestPtr call) {
  if (!call->allow_only({}) || !call->expects_json()) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  TokenRecord wanted;
  fields.require("name");
  if (fields.text("name", wanted.name, 128) && !is_name(wanted.name))
    fields.wrong("name", "A name has letters, digits, and . _ - only.");
  fields.text("project", wanted.project, 128);
  const std::string& own = call->principal.project;
  if (!own.empty() && !wanted.project.empty() && wanted.project != own)
    fields.wrong("project", "The token belongs to another project.", ErrorCode::forbidden);
  if (!own.empty()) wanted.project = own;
  read_rights(fields, call->principal, wanted);
  read_term(fields, call->api.now(), wanted);
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));

  NewToken made =
      make_token(wanted.name, wanted.role, wanted.scopes, wanted.project, call->api.now());
  made.record.expires = wanted.expires;
  storage::Batch batch;
  batch.docs.push_back({"token", made.record.id, "default", to_json(made.record), 0, {}});
  batch.audits.push_back({call->api.now(), call->principal.who(), "token.created", made.record.id,
                          "{\"name\":" + json_string(wanted.name) +
                              ",\"scopes\":" + json_string(wanted.scopes.text()) + "}"});
  call->api.node().write(std::move(batch), call->on_loop<storage::Outcome>(
                                               [call, made](Result<storage::Outcome> done) {
                                                 if (!done) return call->fail(done.error());
                                                 call->api.auth().put(made.record);
                                                 std::string out;
                                                 append_token(out, made.record, made.text);
                                                 call->reply(201, std::move(out));
                                               }));
}

void list_tokens(RequestPtr call) {
  if (!call->allow_only({})) return;
  std::string out = "{\"tokens\":";
  append_list(out, visible(*call),
              [](std::string& to, const TokenRecord& token) { append_token(to, token, ""); });
  call->reply(200, out + '}');
}

void revoke_token(RequestPtr call) {
  if (!call->allow_only({}) || !call->has_empty_body()) return;
  const std::string id = call->params.at(0);
  const std::vector<TokenRecord> tokens = visible(*call);
  const auto found = std::find_if(tokens.begin(), tokens.end(),
                                  [&id](const TokenRecord& token) { return token.id == id; });
  if (found == tokens.end()) return call->fail({ErrorCode::resource_not_found});
  if (!call->api.auth().begin_revoking(id, call->api.now()))
    return call->fail({ErrorCode::state_conflict, std::string{no_other_admin}});
  storage::Batch batch;
  batch.docs.push_back({"token", id, "default", std::nullopt, std::nullopt, {}});
  batch.audits.push_back({call->api.now(), call->principal.who(), "token.revoked", id, "{}"});
  call->api.node().write(
      std::move(batch), call->on_loop<storage::Outcome>([call, id](Result<storage::Outcome> done) {
        if (!done || done->docs.front().by_law) call->api.auth().give_up_revoking(id);
        if (!done) return call->fail(done.error());
        if (done->docs.front().by_law) return last_of_the_fleet(call, id);
        call->api.auth().remove(id);
        call->api.sessions().end_those_of(id);
        call->api.events().end_those_of_the_revoked();
        call->reply(200, "{\"token_id\":" + json_string(id) + ",\"revoked\":true}");
      }));
}

}  // namespace quell::http::handlers
