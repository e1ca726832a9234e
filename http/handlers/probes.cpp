// What orchestrators and monitors ask: alive, ready, figures.
#include <fmt/format.h>

#include "http/door.hpp"
#include "http/handlers/handlers.hpp"
#include "http/json_writer.hpp"
#include "http/openapi.hpp"
#include "http/store_figures.hpp"
#include "http/version.hpp"

namespace quell::http::handlers {

namespace {

std::string door_figures(Door& door, BrowserSessions::Time now) {
  return fmt::format(
      "# HELP quell_build_info The program's version.\n# TYPE quell_build_info gauge\n"
      "quell_build_info{{version=\"{}\"}} 1\n"
      "# HELP quell_ready 1 when requests are served.\n# TYPE quell_ready gauge\n"
      "quell_ready {}\n"
      "# HELP quell_event_streams Event streams that are open.\n"
      "# TYPE quell_event_streams gauge\nquell_event_streams {}\n"
      "# HELP quell_browser_sessions Sessions of browsers.\n"
      "# TYPE quell_browser_sessions gauge\nquell_browser_sessions {}\n",
      version, door.node().health().ready ? 1 : 0, door.events().count(),
      door.sessions().count(now));
}

}  // namespace

void livez(CallPtr call) {
  call->reply(200, "{\"status\":\"alive\"}");
}

void readyz(CallPtr call) {
  const Health health = call->door.node().health();
  std::string out;
  {
    ObjectWriter view(out);
    view.text("status", health.ready ? "ready" : "not ready");
    ObjectWriter checks(view.key("checks"));
    for (const auto& [name, state] : health.checks) checks.text(name, state);
  }
  call->reply(health.ready ? 200 : 503, std::move(out));
}

void openapi(CallPtr call) {
  static const std::string document = openapi_json();
  call->reply(200, document);
}

void metrics(CallPtr call) {
  call->read([call](storage::Reader& reader) {
    Door& door = call->door;
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = door.node().metrics() + store_figures(reader, door.now()) +
                    door_figures(door, call->began) + door.figures();
    call->reply(std::move(response));
  });
}

}  // namespace quell::http::handlers
