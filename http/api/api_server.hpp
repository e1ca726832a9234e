// Every request comes through here: route, token, scope, handler. What is not in routes.def does
// not exist, and what the token lacks is refused before any handler runs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actors/node/node.hpp"
#include "http/api/auth.hpp"
#include "http/api/browser_sessions.hpp"
#include "http/api/console_page.hpp"
#include "http/api/event_streams.hpp"
#include "http/api/job_waiters.hpp"
#include "http/api/rate_limit.hpp"
#include "http/api/refusals.hpp"
#include "http/api/request_context.hpp"
#include "http/api/views/request_metrics.hpp"
#include "http/server/server.hpp"
#include "runtime/settings/settings.hpp"

namespace quell::http {

// Each setting of runtime/spec/settings.def, and what follows from where the server listens.
struct ApiSettings : SettingValues {
  bool open_metrics = false;  // /metrics needs no token
  bool over_tls = false;      // as browsers reach us, also through a proxy
  bool plain_logins = true;   // over plain HTTP: on loopback only
  std::string origin = {};    // ours, when a proxy hides it: "https://quell.example"
  std::function<void(const std::string&)> request_log = {};  // each request as a JSON object
  Refusals::Log refusal_log = {};  // those refused for who made them, some a minute
  // By which names this server may be asked, without ports; empty: by any. What listens on loopback
  // is asked by a page of a stranger as soon as a name of theirs leads here.
  std::vector<std::string> hosts = {};
};

class ApiServer {
 public:
  ApiServer(Node& node, Loop& loop, ApiSettings settings);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  // Reads the tokens; blocks until they are there. Makes the first admin token if there is none,
  // and hands its text over: to `keep` before the token holds, so that a crash loses no text.
  Result<std::optional<std::string>> open(
      const std::function<Result<void>(const std::string& token)>& keep = {});
  void begin();  // upkeep on the loop, from the server's start on
  void close();  // no more interest in the node's events

  void handle(Request request, std::shared_ptr<Responder> responder);
  BodyRuling body_ruling(const Request& request);  // by the head alone
  void note(const RequestContext& call, int status);

  // Of browsers.
  BrowserSessions& sessions() { return sessions_; }
  const CookieRules& cookie_rules() const { return cookie_rules_; }
  bool takes_logins() const { return settings_.over_tls || settings_.plain_logins; }
  bool is_from_own_page(const Request& request) const;
  bool may_log_in(RequestContext& call);  // false, and answered, after too many failures
  void login_failed(const RequestContext& call);
  std::optional<Principal> principal_of_session(const Request& request, BrowserSessions::Time now);
  std::optional<Principal> principal_of(const Request& request, BrowserSessions::Time at);

  Node& node() { return node_; }
  Loop& loop() { return loop_; }
  Auth& auth() { return auth_; }
  JobWaiters& waiters() { return waiters_; }
  EventStreams& events() { return events_; }
  const ApiSettings& settings() const { return settings_; }
  const std::string& page_key() const { return page_key_; }
  const std::string& confirm_key() const { return confirm_key_; }
  std::string metrics() const { return metrics_.text() + refusals_.text(); }
  Instant now() const;

 private:
  bool admit(RequestContext& call);
  void refuse_path(RequestContext& call, const std::string& allow);
  bool is_unguarded(const Route& route) const;
  bool is_asked_by_name(const Request& request) const;
  bool in_rate(RequestContext& call);
  std::string new_request_id(const Request& request);
  void refresh_tokens();

  Node& node_;
  Loop& loop_;
  ApiSettings settings_;
  Auth auth_;
  JobWaiters waiters_;
  EventStreams events_;
  RateLimit rates_, logins_;
  BrowserSessions sessions_;
  CookieRules cookie_rules_;
  std::optional<ConsolePage> console_;  // nothing: it is switched off
  RequestMetrics metrics_;
  Refusals refusals_;
  std::string page_key_, confirm_key_, boot_;
  std::atomic<std::uint64_t> requests_{0};
};

}  // namespace quell::http
