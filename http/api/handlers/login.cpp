// A browser's way in: a token for a cookie, and the end of that. See docs/decisions/0007.
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"

namespace quell::http::handlers {

namespace {

bool from_own_page(RequestContext& call) {
  if (call.api.is_from_own_page(call.request)) return true;
  return call.fail({ErrorCode::cross_site}), false;
}

void audit(RequestContext& call, const Principal& who, const char* what) {
  storage::Batch batch;
  batch.audits.push_back({call.api.now(), who.who(), what, who.token_id,
                          "{\"remote\":" + json_string(call.request.remote) + "}"});
  call.api.node().write(std::move(batch), [](Result<storage::Outcome>) {});
}

std::string principal_json(const Principal& who) {
  std::string out;
  {
    ObjectWriter view(out);
    view.text_or_null("name", who.name);
    view.text_or_null("project", who.project);
    append_list(view.key("scopes"), who.scopes.scopes(),
                [](std::string& to, Scope scope) { append_quoted(to, to_string(scope)); });
    view.number("idle_s", std::chrono::seconds{BrowserSessions::idle}.count());
    view.number("longest_s", std::chrono::seconds{BrowserSessions::longest}.count());
  }
  return out;
}

}  // namespace

void login(RequestPtr call) {
  if (!call->allow_only({}) || !from_own_page(*call)) return;
  if (!call->api.takes_logins())
    return call->fail(
        {ErrorCode::forbidden, "A token is not taken over plain HTTP from elsewhere; set up TLS."});
  if (!call->api.may_log_in(*call)) return;
  if (!call->expects_json()) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  std::string token;
  Fields fields(*body, "", faults);
  fields.require("token");
  fields.text("token", token, 256);
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  const std::optional<Principal> who = call->api.auth().check(token, call->api.now());
  if (!who) {
    call->api.login_failed(*call);
    return call->fail({ErrorCode::unauthenticated, "This token is not valid."});
  }
  call->principal = *who;
  const CookieRules& rules = call->api.cookie_rules();
  const std::string cookie = call->api.sessions().open(who->token_id, call->began);
  call->extra_headers.emplace_back("Set-Cookie", rules.set(cookie));
  audit(*call, *who, "session.opened");
  call->reply(200, principal_json(*who));
}

// A page that is loaded again has its cookie and cannot read it. Of nobody the name is null.
void get_session(RequestPtr call) {
  if (!call->allow_only({})) return;
  const std::optional<Principal> who = call->api.principal_of(call->request, call->began);
  call->reply(200, principal_json(who.value_or(Principal{})));
}

// Of no session, it is done already.
void logout(RequestPtr call) {
  if (!call->allow_only({}) || !from_own_page(*call) || !call->has_empty_body()) return;
  const CookieRules& rules = call->api.cookie_rules();
  const std::string_view cookie = rules.find(call->request);
  const std::optional<Principal> who = call->api.principal_of_session(call->request, call->began);
  if (who && call->api.sessions().end(cookie)) audit(*call, *who, "session.ended");
  call->extra_headers.emplace_back("Set-Cookie", rules.set(""));
  call->reply(200, "{\"ended\":true}");
}

}  // namespace quell::http::handlers
