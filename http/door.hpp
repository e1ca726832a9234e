// Every request comes through here: route, token, scope, handler. What is not in routes.def does
// not exist, and what the token lacks is refused before any handler runs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actors/node.hpp"
#include "http/auth.hpp"
#include "http/browser_sessions.hpp"
#include "http/call.hpp"
#include "http/event_streams.hpp"
#include "http/job_waiters.hpp"
#include "http/rate_limit.hpp"
#include "http/request_figures.hpp"
#include "http/server.hpp"

namespace quell::http {

struct DoorSettings {
  bool confirm_deletes = false;  // a delete needs confirm=true
  bool dry_run = false;          // deletes answer what would go
  bool frozen = false;           // no deletes at all
  bool open_metrics = false;     // /metrics needs no token
  Millis delete_wait{5'000};     // unless the call says otherwise
  JobOptions job_defaults = {};
  std::size_t max_ids = 1'000;  // of one bulk call
  std::size_t max_streams = 1'000;
  long reads_per_minute = 0, writes_per_minute = 0, deletes_per_minute = 0;  // 0: no limit
  long failed_logins_per_minute = 10;                                        // of an address
  bool over_tls = false;     // as browsers reach us, also through a proxy
  bool plain_logins = true;  // over plain HTTP: on loopback only
  std::string origin = {};   // ours, when a proxy hides it: "https://quell.example"
  std::function<void(const std::string&)> access_log = {};  // each request as a JSON object
};

class Door {
 public:
  Door(Node& node, Loop& loop, DoorSettings settings);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // Reads the tokens; blocks until they are there. Makes the first admin token if there is none,
  // and hands its text over: to `keep` before the token holds, so that a crash loses no text.
  Result<std::optional<std::string>> open(
      const std::function<Result<void>(const std::string& token)>& keep = {});
  void begin();  // upkeep on the loop, from the server's start on
  void close();  // no more interest in the node's events

  void handle(Request request, std::shared_ptr<Responder> responder);
  std::size_t body_limit(const Request& request) const;
  void note(const Call& call, int status);

  // Of browsers.
  BrowserSessions& sessions() { return sessions_; }
  const CookieRules& cookie_rules() const { return cookie_rules_; }
  bool takes_logins() const { return settings_.over_tls || settings_.plain_logins; }
  bool is_from_own_page(const Request& request) const;
  bool may_log_in(Call& call);  // false, and answered, after too many failures
  void login_failed(const Call& call);
  std::optional<Principal> principal_of_session(const Call& call);

  Node& node() { return node_; }
  Loop& loop() { return loop_; }
  Auth& auth() { return auth_; }
  JobWaiters& waiters() { return waiters_; }
  EventStreams& events() { return events_; }
  const DoorSettings& settings() const { return settings_; }
  const std::string& page_key() const { return page_key_; }
  std::string figures() const { return figures_.text(); }
  Instant now() const;

 private:
  bool admit(Call& call);
  std::optional<Principal> principal_of(const Call& call);
  bool in_rate(Call& call);
  std::string new_request_id(const Request& request);
  void refresh_tokens();

  Node& node_;
  Loop& loop_;
  DoorSettings settings_;
  Auth auth_;
  JobWaiters waiters_;
  EventStreams events_;
  RateLimit rates_, logins_;
  BrowserSessions sessions_;
  CookieRules cookie_rules_;
  RequestFigures figures_;
  std::string page_key_, boot_;
  std::atomic<std::uint64_t> requests_{0};
};

}  // namespace quell::http
