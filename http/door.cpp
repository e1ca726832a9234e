#include "http/door.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <future>

#include "http/accept.hpp"
#include "http/json_writer.hpp"
#include "http/openapi.hpp"
#include "http/page_token.hpp"

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

Door::Door(Node& node, Loop& loop, DoorSettings settings)
    : node_(node),
      loop_(loop),
      settings_(std::move(settings)),
      waiters_(node),
      events_(node, loop),
      rates_(settings_.reads_per_minute, settings_.writes_per_minute, settings_.deletes_per_minute),
      logins_(settings_.failed_logins_per_minute, 0, 0),
      cookie_rules_{settings_.over_tls} {
  page_key_ = http::page_key(node.public_key_pem());
  boot_ = node.ids().next().text().substr(0, 13);
  std::erase(boot_, '-');
}

Door::~Door() = default;

Instant Door::now() const {
  return system_clock().now();
}

Result<std::optional<std::string>> Door::open(
    const std::function<Result<void>(const std::string& token)>& keep) {
  std::promise<Result<std::vector<storage::Doc>>> reading;
  node_.read([&reading](storage::Reader& reader) { reading.set_value(reader.docs("token", "")); });
  Result<std::vector<storage::Doc>> docs = reading.get_future().get();
  if (!docs) return docs.error();
  auth_.replace(*docs, auth_.changes());
  if (auth_.has_admin()) return std::optional<std::string>{};

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

void Door::begin() {
  loop_.after(token_refresh, [this] { refresh_tokens(); });
}

void Door::close() {
  waiters_.close();
  events_.close();
}

// Other servers on the same store make and revoke tokens too.
void Door::refresh_tokens() {
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

std::string Door::new_request_id(const Request& request) {
  const std::string_view given = request.header("X-Request-Id");
  if (is_request_id(given)) return std::string{given};
  return fmt::format("{}-{}", boot_, requests_.fetch_add(1, std::memory_order_relaxed));
}

std::size_t Door::body_limit(const Request& request) const {
  const Match match = match_route(request.method, request.path);
  return http::body_limit(match.route == nullptr ? BodySize::small : match.route->body);
}

void Door::note(const Call& call, int status) {
  const auto spent = std::chrono::steady_clock::now() - call.began;
  figures_.note(call.route, status, spent);
  if (!settings_.access_log) return;
  std::string line;
  {
    ObjectWriter object(line);
    object.text("request_id", call.request_id);
    object.text("remote", call.request.remote);
    object.text("method", call.request.method);
    object.text("path", call.request.path);
    object.number("status", status);
    object.text_or_null("who", call.principal.name);
    object.number("us", std::chrono::duration_cast<std::chrono::microseconds>(spent).count());
  }
  settings_.access_log(line);
}

std::optional<Principal> Door::principal_of_session(const Call& call) {
  const std::string_view cookie = cookie_rules_.find(call.request);
  if (cookie.empty()) return std::nullopt;
  const std::optional<std::string> token = sessions_.use(cookie, call.began);
  return token ? auth_.holder(*token, now()) : std::nullopt;
}

bool Door::is_from_own_page(const Request& request) const {
  return is_same_origin(request, settings_.over_tls, settings_.origin);
}

// Who shows a token means it; the cookie counts only where there is none.
std::optional<Principal> Door::principal_of(const Call& call) {
  if (!call.request.has_header("Authorization")) return principal_of_session(call);
  const std::string_view header = call.request.header("Authorization");
  static constexpr std::string_view scheme = "Bearer ";
  if (header.size() <= scheme.size() || !same_text(header.substr(0, scheme.size()), scheme))
    return std::nullopt;
  return auth_.check(header.substr(scheme.size()), now());
}

bool Door::admit(Call& call) {
  const Scope scope = call.route->need.scope;
  if (call.route->need.is_open) return true;
  if (call.route->name == "metrics" && settings_.open_metrics) return true;
  std::optional<Principal> found = principal_of(call);
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

bool Door::may_log_in(Call& call) {
  const RateAnswer answer = logins_.look(RatePolicy::read, call.request.remote, call.began);
  if (answer.allowed) return true;
  Problem problem(ErrorCode::quota_exceeded, "Too many failed logins from this address.");
  problem.headers.emplace_back("Retry-After", std::to_string(answer.retry_after_s));
  return call.fail(problem), false;
}

void Door::login_failed(const Call& call) {
  logins_.take(RatePolicy::read, call.request.remote, call.began);
}

bool Door::in_rate(Call& call) {
  RatePolicy policy = call.route->method == "GET" ? RatePolicy::read : RatePolicy::write;
  if (call.route->need.scope == Scope::jobs_delete) policy = RatePolicy::erase;
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

void Door::handle(Request request, std::shared_ptr<Responder> responder) {
  auto call = std::make_shared<Call>(*this, std::move(request), std::move(responder));
  call->request_id = new_request_id(call->request);
  Match match = match_route(call->request.method, call->request.path);
  call->route = match.route;
  call->params = std::move(match.params);
  if (match.route == nullptr) {
    if (match.allow.empty()) return call->fail({ErrorCode::not_found});
    Problem problem(ErrorCode::method_not_allowed,
                    hint_for(call->request.method, call->request.path));
    problem.headers.emplace_back("Allow", match.allow);
    return call->fail(problem);
  }
  if (!accepts(call->request.header("Accept"), media_types(*match.route)))
    return call->fail(
        {ErrorCode::not_acceptable,
         fmt::format("This route answers with {}.", fmt::join(media_types(*match.route), ", "))});
  if (!admit(*call)) return;
  try {
    match.route->handler(call);
  } catch (const std::exception&) {
    // Whoever wrote the handler is at fault; the caller learns the request id, never the text.
    call->fail({ErrorCode::internal});
  }
}

}  // namespace quell::http
