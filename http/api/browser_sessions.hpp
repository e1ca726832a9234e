// Sessions of browsers: a person shows a token once and gets a cookie, because a page cannot keep a
// token from the scripts of a hostile one. They live in memory: a restart asks for the token again.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "http/server/message.hpp"
#include "runtime/base/digest.hpp"

namespace quell::http {

class BrowserSessions {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes idle{30};
  static constexpr std::chrono::hours longest{12};
  static constexpr std::size_t most = 10'000;  // beyond it the longest idle one ends

  std::string open(const std::string& token_id, Time now);  // the cookie's value
  // Whose session it is, if it goes on; using it keeps it from falling idle.
  std::optional<std::string> use(std::string_view cookie, Time now);
  bool end(std::string_view cookie);
  void end_those_of(const std::string& token_id);
  std::size_t count(Time now);

 private:
  struct BrowserSession {
    std::string token_id;
    Time opened, used;
    bool is_over(Time now) const { return now - used >= idle || now - opened >= longest; }
  };
  void make_room(Time now);

  std::mutex mutex_;
  std::map<Digest, BrowserSession> sessions_;  // by the cookie's hash
};

// What the cookie is called and how it is kept, which depends on how the browser reaches us.
struct CookieRules {
  bool over_tls = false;  // `__Host-quell` and Secure; browsers refuse both over plain HTTP

  std::string_view name() const { return over_tls ? "__Host-quell" : "quell"; }
  std::string set(std::string_view value) const;        // a Set-Cookie value; "" ends the cookie
  std::string_view find(const Request& request) const;  // "" when the request has none
};

// Whether a browser says that this site's own page sent the request: Sec-Fetch-Site where it is
// sent, else Origin. `origin` is ours as the browser knows it, "" when only the Host field tells.
bool is_same_origin(const Request& request, bool over_tls, std::string_view origin);

}  // namespace quell::http
