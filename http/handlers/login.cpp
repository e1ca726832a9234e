// A browser's way in: a token for a cookie, and the end of that. See docs/decisions/0007.
#include "http/door.hpp"
#include "http/handlers/handlers.hpp"
#include "http/json_writer.hpp"
#include "http/views.hpp"

namespace quell::http::handlers {

namespace {

bool from_own_page(Call& call) {
  if (call.door.is_from_own_page(call.request)) return true;
  return call.fail({ErrorCode::cross_site}), false;
}

void audit(Call& call, const Principal& who, const char* what) {
  storage::Batch batch;
  batch.audits.push_back({call.door.now(), who.who(), what, who.token_id,
                          "{\"remote\":" + json_string(call.request.remote) + "}"});
  call.door.node().write(std::move(batch), [](Result<storage::Outcome>) {});
}

std::string principal_json(const Principal& who) {
  std::string out;
  {
    ObjectWriter view(out);
    view.text("name", who.name);
    view.text_or_null("project", who.project);
    append_list(view.key("scopes"), who.scopes.scopes(),
                [](std::string& to, Scope scope) { append_quoted(to, to_string(scope)); });
    view.number("idle_s", std::chrono::seconds{BrowserSessions::idle}.count());
    view.number("longest_s", std::chrono::seconds{BrowserSessions::longest}.count());
  }
  return out;
}

}  // namespace

void login(CallPtr call) {
  if (!call->only({}) || !from_own_page(*call)) return;
  if (!call->door.takes_logins())
    return call->fail(
        {ErrorCode::forbidden, "A token is not taken over plain HTTP from elsewhere; set up TLS."});
  if (!call->door.may_log_in(*call)) return;
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
  const std::optional<Principal> who = call->door.auth().check(token, call->door.now());
  if (!who) {
    call->door.login_failed(*call);
    return call->fail({ErrorCode::unauthenticated, "This token is not valid."});
  }
  call->principal = *who;
  const CookieRules& rules = call->door.cookie_rules();
  const std::string cookie = call->door.sessions().open(who->token_id, call->began);
  call->extra_headers.emplace_back("Set-Cookie", rules.set(cookie));
  audit(*call, *who, "session.opened");
  call->reply(200, principal_json(*who));
}

// Of no session, it is done already.
void logout(CallPtr call) {
  if (!call->only({}) || !from_own_page(*call) || !call->has_empty_body()) return;
  const CookieRules& rules = call->door.cookie_rules();
  const std::string_view cookie = rules.find(call->request);
  const std::optional<Principal> who = call->door.principal_of_session(*call);
  if (who && call->door.sessions().end(cookie)) audit(*call, *who, "session.ended");
  call->extra_headers.emplace_back("Set-Cookie", rules.set(""));
  call->reply(200, "{\"ended\":true}");
}

}  // namespace quell::http::handlers
