#include "runtime/outbound/http_redirects.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace quell {

namespace {

std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return small;
}

// RFC 3986, appendix B; what is absent is told from what is empty.
struct UrlParts {
  std::string scheme;
  bool has_authority = false;
  std::string authority, path;
  bool has_query = false;
  std::string query;
};

bool is_scheme(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
         });
}

UrlParts split(std::string_view text) {
  UrlParts parts;
  text = text.substr(0, text.find('#'));
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && is_scheme(text.substr(0, colon))) {
    parts.scheme = lower(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    parts.has_authority = true;
    parts.authority = std::string(text.substr(0, end));
    text.remove_prefix(end);
  }
  const std::size_t question = text.find('?');
  parts.path = std::string(text.substr(0, question));
  if (question != std::string_view::npos) {
    parts.has_query = true;
    parts.query = std::string(text.substr(question + 1));
  }
  return parts;
}

std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    if (segment == "/." || segment == "/..") {
      if (segment == "/..") out.erase(std::min(out.rfind('/'), out.size()));
      if (path.empty()) out += '/';
    } else {
      out += segment;
    }
  }
  return out;
}

std::string merged(const UrlParts& base, const std::string& path) {
  if (path.starts_with('/')) return path;
  const std::size_t slash = base.path.rfind('/');
  if (slash == std::string::npos) return "/" + path;
  return base.path.substr(0, slash + 1) + path;
}

// Servers write spaces and UTF-8 into Location, which a URL has only in its encoded form.
std::string encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f) {
      out += c;
      continue;
    }
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// What any host may see. Everything else could prove to one host who asks: nobody knows all the
// names that credentials have.
constexpr std::array<std::string_view, 13> for_any_host{
    "accept",           "accept-encoding", "accept-language", "cache-control", "content-encoding",
    "content-language", "content-type",    "pragma",          "prefer",        "range",
    "traceparent",      "tracestate",      "user-agent"};

bool is_for_any_host(const std::string& name) {
  return std::find(for_any_host.begin(), for_any_host.end(), lower(name)) != for_any_host.end();
}

bool drops_body(int status, const std::string& method) {
  if (status == 303) return method != "GET" && method != "HEAD";
  return (status == 301 || status == 302) && method == "POST";
}

Error refused(std::string why) {
  return Error{ErrorCode::refused_address, "the redirect " + std::move(why)};
}

}  // namespace

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<std::string> resolve_url(const std::string& base, const std::string& reference) {
  std::string_view given = reference;
  while (!given.empty() && (given.front() == ' ' || given.front() == '\t')) given.remove_prefix(1);
  while (!given.empty() && (given.back() == ' ' || given.back() == '\t')) given.remove_suffix(1);
  if (has_control(given)) return refused("has a control character in its Location");
  // Browsers read a backslash as a slash and libcurl does not: nobody knows which host is meant.
  if (given.find('\\') != std::string_view::npos) return refused("has a backslash in its Location");
  const UrlParts from = split(base), to = split(given);

  const std::string scheme = to.scheme.empty() ? from.scheme : to.scheme;
  if (scheme != "http" && scheme != "https") return refused("leads to " + scheme + ", not to http");
  if (!to.scheme.empty() && !to.has_authority) return refused("names no host");
  const std::string& authority = to.has_authority ? to.authority : from.authority;
  if (authority.empty()) return refused("names no host");
  if (authority.find('@') != std::string::npos) return refused("has credentials in its URL");

  std::string path, query;
  if (to.has_authority)
    path = without_dots(to.path);
  else if (to.path.empty())
    path = from.path;
  else
    path = without_dots(merged(from, to.path));
  const bool keeps_query = !to.has_authority && to.path.empty() && !to.has_query;
  if (to.has_query) query = "?" + to.query;
  if (keeps_query && from.has_query) query = "?" + from.query;
  if (path.empty()) path = "/";
  return scheme + "://" + authority + encoded(path) + encoded(query);
}

std::string origin_of(const std::string& url) {
  const UrlParts parts = split(url);
  if (parts.scheme.empty() || parts.authority.empty()) return {};
  std::string host = lower(parts.authority);
  host.erase(0, host.rfind('@') + 1);  // npos + 1 is 0
  const std::size_t bracket = host.rfind(']'), colon = host.rfind(':');
  const bool has_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  if (has_port && colon + 1 == host.size()) host.pop_back();
  if (!has_port || colon == host.size()) host += parts.scheme == "https" ? ":443" : ":80";
  return parts.scheme + "://" + host;
}

Result<HttpRequest> redirected(const HttpRequest& request, int status,
                               const std::string& location) {
  QUELL_ASSERT(is_redirect(status));
  if (request.redirects() <= 0)
    return Error{ErrorCode::outbound_failed, "the reply redirects more often than allowed"};
  if (location.empty()) return Error{ErrorCode::outbound_failed, "a redirect without a Location"};
  auto url = resolve_url(request.url(), location);
  if (!url) return url.error();
  const std::string before = origin_of(request.url()), after = origin_of(*url);
  if (before.starts_with("https:") && after.starts_with("http:"))
    return refused("leads from https down to http");

  const bool same_origin = before == after;
  const bool bare = drops_body(status, request.method());
  HttpRequest next(std::move(*url));
  next.method(bare ? std::string("GET") : request.method());
  if (!bare) next.body(request.body());
  for (const auto& [name, value] : request.headers()) {
    if (!same_origin && !is_for_any_host(name)) continue;
    if (bare && lower(name).starts_with("content-")) continue;
    next.header(name, value);
  }
  next.timeout(request.timeout()).idle_timeout(request.idle_timeout());
  next.max_body(request.max_body()).redirects(request.redirects() - 1);
  if (same_origin) next.bearer_secret(request.secret());
  return next;
}

}  // namespace quell
