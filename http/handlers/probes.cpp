// What orchestrators and monitors ask: alive, ready, figures.
#include "http/door.hpp"
#include "http/handlers/handlers.hpp"
#include "http/json_writer.hpp"
#include "http/openapi.hpp"

namespace quell::http::handlers {

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
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = call->door.node().metrics() + call->door.figures();
  call->reply(std::move(response));
}

}  // namespace quell::http::handlers
