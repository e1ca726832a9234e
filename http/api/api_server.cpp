#include "http/api/api_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <future>

#include "actors/webhooks/endpoint_registry.hpp"
#include "http/api/page_token.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/openapi.hpp"
#include "http/server/accept.hpp"

namespace quell::http {

namespace {

constexpr Millis token_refresh{5'000};

bool is_request_id(std::string_view text) {
  if (text.empty() || text.size() > 128) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

// A hint where the mistake is known: many try to submit many at `bulk`.
std::string hint_for(std::string_view method, std::string_view path) {
  if (path == "/api/v1/jobs/bulk" && method == "POST")
    return "Submit many with POST /api/v1/jobs/bulk-submit; delete many with POST "
           "/api/v1/jobs/bulk-delete.";
  return {};
}

}  // namespace

ApiServer::ApiServer(Node& node, Loop& loop, ApiSettings settings)
    : node_(node),
      loop_(loop),
      settings_(std::move(settings)),
      waiters_(node),
      events_(node, loop, [this](const std::string& id) { return auth_.is_valid(id, now()); }),
      rates_(settings_.rate_read_per_minute, settings_.rate_write_per_minute,
             settings_.rate_delete_per_minute),
      logins_(settings_.login_per_minute, 0, 0),
      cookie_rules_{settings_.over_tls},
      refusals_(settings_.refusal_log) {
  page_key_ = node.endpoints().key_for("page tokens");
  confirm_key_ = node.endpoints().key_for("confirm tokens");
  boot_ = node.ids().next().text().substr(0, 13);
  std::erase(boot_, '-');
  if (settings_.console) console_.emplace(settings_.public_url);
}

ApiServer::~ApiServer() = default;

Instant ApiServer::now() const {
  return system_clock().now();
}

Result<std::optional<std::string>> ApiServer::open(
    const std::function<Result<void>(const std::string& token)>& keep) {
  std::promise<Result<std::vector<storage::Doc>>> reading;
  node_.read([&reading](storage::Reader& reader) { reading.set_value(reader.docs("token", "")); });
  Result<std::vector<storage::Doc>> docs = reading.get_future().get();
  if (!docs) return docs.error();
  auth_.replace(*docs, auth_.changes());
  if (auth_.has_admin(now())) return std::optional<std::string>{};

  const NewToken made = make_token("admin", "admin", ScopeSet::of(Role::admin), "", now());
  // Kept first: a token that is stored and that nobody was given would lock everybody out.
  if (keep)
    if (Result<void> kept = keep(made.text); !kept) return kept.error();
  storage::Batch batch;
  batch.docs.push_back({"token", made.record.id, "default", to_json(made.record), 0, {}});
  batch.audits.push_back(
      {now(), "server", "token.created", made.record.id, "{\"role\":\"admin\"}"});
  std::promise<Result<storage::Outcome>> writing;
  node_.write(std::move(batch), [&writing](Result<storage::Outcome> outcome) {
    writing.set_value(std::move(outcome));
  });
  if (Result<storage::Outcome> written = writing.get_future().get(); !written)
    return written.error();
  auth_.put(made.record);
  return std::optional<std::string>{made.text};
}

void ApiServer::begin() {
  loop_.after(token_refresh, [this] { refresh_tokens(); });
}

void ApiServer::close() {
  waiters_.close();
  events_.close();
}

// Other servers on the same store make and revoke tokens too.
void ApiServer::refresh_tokens() {
  node_.read([this, seen = auth_.changes()](storage::Reader& reader) {
    const Result<std::vector<storage::Doc>> docs = reader.docs("token", "");
    if (docs) auth_.replace(*docs, seen);
  });
  storage::Batch batch;
  // Only over what was read: a token that was revoked elsewhere must not come back by being used.
  for (const TokenRecord& token : auth_.take_uses())
    batch.docs.push_back({"token", token.id, "default", to_json(token), token.version, {}});
  if (!batch.docs.empty()) node_.write(std::move(batch), [](Result<storage::Outcome>) {});
  begin();
}

std::string ApiServer::new_request_id(const Request& request) {
  const std::string_view given = request.header("X-Request-Id");
  if (is_request_id(given)) return std::string{given};
  return fmt::format("{}-{}", boot_, requests_.fetch_add(1, std::memory_order_relaxed));
}

// Who may send much is decided before any of it is read, so that strangers cost us nothing.
BodyRuling ApiServer::body_ruling(const Request& request) {
  const Match match = match_route(request.method, request.path);
  if (match.route == nullptr) return {stranger_bytes, true};
  const std::size_t limit = http::body_limit(match.route->body, settings_);
  if (limit <= stranger_bytes) return {limit, false};
  const auto who = principal_of(request, std::chrono::steady_clock::now());
  if (who && who->scopes.has(match.route->need.scope)) return {limit, false};
  return {stranger_bytes, true};
}

void ApiServer::note(const RequestContext& call, int status) {
  const auto spent = std::chrono::steady_clock::now() - call.began;
  metrics_.note(call.route, status, spent);
  refusals_.note(call, status);
  if (!settings_.request_log) return;
  std::string line;
  {
    ObjectWriter object(line);
    object.text("request_id", call.request_id);
    object.text("remote", call.request.remote);
    object.text("method", call.request.method);
    object.text("path", call.request.path);
    object.number("status", status);
    object.text_or_null("who", call.principal.token_id.empty() ? "" : call.principal.who());
    object.number("us", std::chrono::duration_cast<std::chrono::microseconds>(spent).count());
  }
  settings_.request_log(line);
}

std::optional<Principal> ApiServer::principal_of_session(const Request& request,
                                                         BrowserSessions::Time at) {
  const std::string_view cookie = cookie_rules_.find(request);
  if (cookie.empty()) return std::nullopt;
  const std::optional<std::string> token = sessions_.use(cookie, at);
  return token ? auth_.holder(*token, now()) : std::nullopt;
}

bool ApiServer::is_from_own_page(const Request& request) const {
  return is_same_origin(request, settings_.over_tls, settings_.origin);
}

// Who shows a token means it; the cookie counts only where there is none.
std::optional<Principal> ApiServer::principal_of(const Request& request, BrowserSessions::Time at) {
  if (!request.has_header("Authorization")) return principal_of_session(request, at);
  const std::string_view header = request.header("Authorization");
  static constexpr std::string_view scheme = "Bearer ";
  if (header.size() <= scheme.size() || !same_text(header.substr(0, scheme.size()), scheme))
    return std::nullopt;
  return auth_.check(header.substr(scheme.size()), now());
}

bool ApiServer::is_asked_by_name(const Request& request) const {
  if (settings_.hosts.empty()) return true;
  std::string_view host = request.header("Host");
  if (const std::size_t colon = host.rfind(':');
      colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
    host = host.substr(0, colon);
  return std::any_of(settings_.hosts.begin(), settings_.hosts.end(),
                     [host](const std::string& own) { return same_text(own, host); });
}

bool ApiServer::is_unguarded(const Route& route) const {
  return route.need.is_open || (route.name == "metrics" && settings_.open_metrics);
}

bool ApiServer::admit(RequestContext& call) {
  const Scope scope = call.route->need.scope;
  if (is_unguarded(*call.route)) return true;
  std::optional<Principal> found = principal_of(call.request, call.began);
  if (!found) return call.fail({ErrorCode::unauthenticated}), false;
  call.principal = std::move(*found);
  // A browser adds the cookie to what any page makes it send.
  if (call.principal.is_session && call.route->method != "GET" && !is_from_own_page(call.request))
    return call.fail({ErrorCode::cross_site}), false;
  if (call.principal.scopes.has(scope)) return in_rate(call);
  Problem refused(ErrorCode::forbidden,
                  fmt::format("This needs the scope '{}'.", to_string(scope)));
  refused.member("scope", json_string(to_string(scope)));
  return call.fail(refused), false;
}

bool ApiServer::may_log_in(RequestContext& call) {
  const RateAnswer answer = logins_.look(RatePolicy::read, call.request.remote, call.began);
  if (answer.allowed) return true;
  Problem problem(ErrorCode::quota_exceeded, "Too many failed logins from this address.");
  problem.headers.emplace_back("Retry-After", std::to_string(answer.retry_after_s));
  return call.fail(problem), false;
}

void ApiServer::login_failed(const RequestContext& call) {
  logins_.take(RatePolicy::read, call.request.remote, call.began);
}

bool ApiServer::in_rate(RequestContext& call) {
  RatePolicy policy = call.route->method == "GET" ? RatePolicy::read : RatePolicy::write;
  if (call.route->need.scope == Scope::jobs_delete ||
      call.route->need.scope == Scope::jobs_delete_filter)
    policy = RatePolicy::erase;
  const RateAnswer answer = rates_.take(policy, call.principal.token_id, call.began);
  if (answer.limit == 0) return true;
  const std::string_view name = to_string(policy);
  call.extra_headers.emplace_back("RateLimit-Policy",
                                  fmt::format("\"{}\";q={};w=60", name, answer.limit));
  call.extra_headers.emplace_back(
      "RateLimit", fmt::format("\"{}\";r={};t={}", name, answer.remaining, answer.retry_after_s));
  if (answer.allowed) return true;
  Problem problem(ErrorCode::quota_exceeded);
  problem.headers.emplace_back("Retry-After", std::to_string(answer.retry_after_s));
  call.fail(problem);
  return false;
}

// No route has this path, or none with this method. What is a page of the console is answered.
void ApiServer::refuse_path(RequestContext& call, const std::string& allow) {
  if (!allow.empty()) {
    Problem problem(ErrorCode::method_not_allowed,
                    hint_for(call.request.method, call.request.path));
    problem.headers.emplace_back("Allow", allow);
    return call.fail(problem);
  }
  std::optional<Response> page;
  if (console_) page = console_->answer(call.request);
  if (!page) return call.fail({ErrorCode::not_found});
  call.reply(std::move(*page));
}

void ApiServer::handle(Request request, std::shared_ptr<Responder> responder) {
  auto call = std::make_shared<RequestContext>(*this, std::move(request), std::move(responder));
  call->request_id = new_request_id(call->request);
  Match match = match_route(call->request.method, call->request.path);
  call->route = match.route;
  call->params = std::move(match.params);
  if (!is_asked_by_name(call->request))
    return call->fail({ErrorCode::forbidden,
                       "This server is not asked by that name; see public_url in the settings."});
  if (match.route == nullptr) return refuse_path(*call, match.allow);
  if (!accepts(call->request.header("Accept"), media_types(*match.route)))
    return call->fail(
        {ErrorCode::not_acceptable,
         fmt::format("This route answers with {}.", fmt::join(media_types(*match.route), ", "))});
  if (!admit(*call)) return;
  // Its token was made between its head and now: what it asks for was never read.
  if (call->request.body_is_unread) return call->fail({ErrorCode::unauthenticated});
  try {
    match.route->handler(call);
  } catch (const std::exception&) {
    // Whoever wrote the handler is at fault; the caller learns the request id, never the text.
    call->fail({ErrorCode::internal});
  }
}

}  // namespace quell::http
