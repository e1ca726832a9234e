#include "http/api/browser_sessions.hpp"

#include <algorithm>
#include <array>

#include "runtime/base/hex.hpp"

namespace quell::http {

namespace {

std::string random_hex() {
  std::array<std::uint8_t, 32> bytes{};
  fill_random(bytes);
  return hex(bytes);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

}  // namespace

std::string BrowserSessions::open(const std::string& token_id, Time now) {
  std::string cookie = random_hex();
  const std::lock_guard lock(mutex_);
  make_room(now);
  sessions_[sha256(cookie)] = {token_id, now, now};
  return cookie;
}

void BrowserSessions::make_room(Time now) {
  if (sessions_.size() < most) return;
  std::erase_if(sessions_, [now](const auto& entry) { return entry.second.is_over(now); });
  if (sessions_.size() < most) return;
  const auto oldest =
      std::min_element(sessions_.begin(), sessions_.end(),
                       [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
  sessions_.erase(oldest);
}

std::optional<std::string> BrowserSessions::use(std::string_view cookie, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(sha256(cookie));
  if (found == sessions_.end()) return std::nullopt;
  if (found->second.is_over(now)) return sessions_.erase(found), std::nullopt;
  found->second.used = now;
  return found->second.token_id;
}

bool BrowserSessions::end(std::string_view cookie) {
  const std::lock_guard lock(mutex_);
  return sessions_.erase(sha256(cookie)) > 0;
}

void BrowserSessions::end_those_of(const std::string& token_id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.token_id == token_id; });
}

std::size_t BrowserSessions::count(Time now) {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(sessions_.begin(), sessions_.end(),
                    [now](const auto& entry) { return !entry.second.is_over(now); }));
}

std::string CookieRules::set(std::string_view value) const {
  std::string text{name()};
  text.append("=").append(value).append("; Path=/; HttpOnly; SameSite=Strict");
  if (over_tls) text += "; Secure";
  if (value.empty()) text += "; Max-Age=0";
  return text;
}

std::string_view CookieRules::find(const Request& request) const {
  std::string_view rest = request.header("Cookie");
  while (!rest.empty()) {
    const std::size_t end = rest.find(';');
    const std::string_view pair = trimmed(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name())
      return pair.substr(equals + 1);
  }
  return {};
}

bool is_same_origin(const Request& request, bool over_tls, std::string_view origin) {
  const std::string_view site = request.header("Sec-Fetch-Site");
  if (!site.empty()) return site == "same-origin";
  const std::string_view from = request.header("Origin");
  if (from.empty()) return false;
  if (!origin.empty()) return same_text(from, origin);
  const std::string_view scheme = over_tls ? "https://" : "http://";
  return from.substr(0, scheme.size()) == scheme &&
         same_text(from.substr(scheme.size()), request.header("Host"));
}

}  // namespace quell::http
