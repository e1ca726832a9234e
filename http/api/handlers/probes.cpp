// What orchestrators and monitors ask: alive, ready, figures.
#include <fmt/format.h>

#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/openapi.hpp"
#include "http/api/views/store_metrics.hpp"
#include "http/server/version.hpp"
#include "runtime/base/metrics_text.hpp"

namespace quell::http::handlers {

namespace {

std::string api_metrics(ApiServer& api, BrowserSessions::Time now) {
  MetricsText out;
  out.metric("quell_build_info", "gauge", "The program's version.")
      .value(1, {{"version", version}});
  out.metric("quell_ready", "gauge", "1 when requests are served.")
      .value(api.node().health().ready ? 1 : 0);
  out.metric("quell_event_streams", "gauge", "Event streams that are open.")
      .value(api.events().count());
  out.metric("quell_browser_sessions", "gauge", "Sessions of browsers.")
      .value(api.sessions().count(now));
  return std::move(out).text();
}

}  // namespace

void livez(RequestPtr call) {
  call->reply(200, "{\"status\":\"alive\"}");
}

void readyz(RequestPtr call) {
  const Health health = call->api.node().health();
  std::string out;
  {
    ObjectWriter view(out);
    view.text("status", health.ready ? "ready" : "not ready");
    ObjectWriter checks(view.key("checks"));
    for (const auto& [name, state] : health.checks) checks.text(name, state);
  }
  call->reply(health.ready ? 200 : 503, std::move(out));
}

void openapi(RequestPtr call) {
  static const std::string document = openapi_json();
  call->reply(200, document);
}

void metrics(RequestPtr call) {
  call->read([call](storage::Reader& reader) {
    ApiServer& api = call->api;
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = api.node().metrics() + store_metrics(reader, api.now()) +
                    api_metrics(api, call->began) + api.metrics();
    call->reply(std::move(response));
  });
}

}  // namespace quell::http::handlers
