#include "http/api/router.hpp"

#include <algorithm>
#include <array>

#include "http/api/handlers/handlers.hpp"
#include "http/server/message.hpp"
#include "runtime/settings/settings.hpp"

namespace quell::http {

namespace {

namespace needs {
constexpr Need open{true, Scope::system_write};
#define TOKEN_SCOPE(name, wire, least_role, sentence) constexpr Need name{false, Scope::name};
#include "runtime/spec/scopes.def"
#undef TOKEN_SCOPE
}  // namespace needs

// A row without a scope, or with a scope that scopes.def does not have, does not compile.
constexpr std::array table{
#define HTTP_ROUTE(handler, method, path, scope, body, sentence) \
  Route{#handler, #method, path, needs::scope, BodySize::body, sentence, &handlers::handler},
#include "http/api/routes.def"
#undef HTTP_ROUTE
};

// `login` shows its token in the body, `logout` ends what it shows.
constexpr bool only_reads_are_open() {
  for (const Route& route : table)
    if (route.need.is_open && route.method != "GET" && route.name != "login" &&
        route.name != "logout")
      return false;
  return true;
}
static_assert(only_reads_are_open(), "whoever changes something shows a token");

constexpr bool open_routes_take_little() {
  for (const Route& route : table)
    if (route.need.is_open && route.body != BodySize::none && route.body != BodySize::tiny)
      return false;
  return true;
}
static_assert(open_routes_take_little(), "a stranger's body costs memory and time");

struct Pattern {
  std::vector<std::string_view> segments;  // "{name}" is a hole
  std::vector<const Route*> routes;
  std::size_t literals = 0;
};

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  segments.reserve(8);
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  for (;;) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool is_hole(std::string_view segment) {
  return !segment.empty() && segment.front() == '{';
}

std::vector<Pattern> make_patterns() {
  std::vector<Pattern> patterns;
  for (const Route& route : table) {
    const auto same = [&route](const Pattern& p) { return p.routes.front()->path == route.path; };
    const auto known = std::find_if(patterns.begin(), patterns.end(), same);
    if (known != patterns.end()) {
      known->routes.push_back(&route);
      continue;
    }
    Pattern fresh{split(route.path), {&route}, 0};
    fresh.literals = static_cast<std::size_t>(
        std::count_if(fresh.segments.begin(), fresh.segments.end(),
                      [](std::string_view segment) { return !is_hole(segment); }));
    patterns.push_back(std::move(fresh));
  }
  std::stable_sort(patterns.begin(), patterns.end(),
                   [](const Pattern& a, const Pattern& b) { return a.literals > b.literals; });
  return patterns;
}

bool fits(const Pattern& pattern, const std::vector<std::string_view>& segments) {
  if (pattern.segments.size() != segments.size()) return false;
  for (std::size_t i = segments.size(); i-- > 0;) {
    if (is_hole(pattern.segments[i]) ? segments[i].empty() : pattern.segments[i] != segments[i])
      return false;
  }
  return true;
}

bool fill(const Pattern& pattern, const std::vector<std::string_view>& segments,
          std::vector<std::string>& params) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!is_hole(pattern.segments[i])) continue;
    if (!percent_decode(segments[i], false, params.emplace_back())) return false;
  }
  return true;
}

}  // namespace

std::span<const Route> routes() {
  return table;
}

std::size_t body_limit(BodySize size, const SettingValues& settings) {
  switch (size) {
    case BodySize::none:  // tolerated and ignored: some clients send `{}` with a GET
    case BodySize::tiny:
      return stranger_bytes;
    case BodySize::small:
      return settings.body_max;
    case BodySize::bulk:
      return settings.bulk_body_max;
  }
  return 0;
}

Match match_route(std::string_view method, std::string_view path) {
  static const std::vector<Pattern> patterns = make_patterns();
  const std::vector<std::string_view> segments = split(path);
  Match match;
  for (const Pattern& pattern : patterns) {
    if (!fits(pattern, segments)) continue;
    const std::string_view wanted = method == "HEAD" ? "GET" : method;
    for (const Route* route : pattern.routes) {
      if (!match.allow.empty()) match.allow += ", ";
      match.allow += route->method;
      if (route->method == "GET") match.allow += ", HEAD";
      if (route->method == wanted && fill(pattern, segments, match.params)) match.route = route;
    }
    return match;
  }
  return match;
}

}  // namespace quell::http
