// Webhook endpoints: registered, changed, rotated, tried out; what was sent to them and what they
// said. A secret is shown once, when it is made.
#include <algorithm>

#include "actors/effects/outbound_url.hpp"
#include "actors/webhooks/endpoint_registry.hpp"
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "http/api/views/webhook_views.hpp"

namespace quell::http::handlers {

namespace {

constexpr int page_max = 200;

// Endpoint of parameter 0, if the caller's token may see it; else the call is answered.
std::optional<WebhookEndpoint> find_endpoint(RequestContext& call) {
  auto endpoint = call.api.node().endpoints().find(call.params.at(0));
  const std::string& own = call.principal.project;
  if (endpoint && !own.empty() && endpoint->project != own) endpoint.reset();
  if (!endpoint) call.fail({ErrorCode::resource_not_found});
  return endpoint;
}

void read_url(Fields& fields, WebhookEndpoint& endpoint) {
  if (!fields.text("url", endpoint.url, 2048)) return;
  if (const auto url = read_outbound_url(endpoint.url); !url)
    fields.wrong("url", url.error().detail.empty() ? "This must be an http or https URL."
                                                   : url.error().detail);
}

void read_rest(Fields& fields, WebhookEndpoint& endpoint) {
  fields.text("description", endpoint.description, 512);
  std::vector<std::string> events;
  if (fields.texts("events", events, 64, 64)) endpoint.events = events;
  for (const std::string& event : endpoint.events)
    if (!is_webhook_event(event)) fields.wrong("events", "'" + event + "' is not an event.");
}

// Stores the endpoint and an audit row, then answers by `then`; the registry knows it by then.
void store(const RequestPtr& call, WebhookEndpoint endpoint, const char* what,
           std::function<void(const WebhookEndpoint&)> then) {
  EndpointRegistry& registry = call->api.node().endpoints();
  storage::Batch batch;
  batch.docs.push_back(registry.sealed(endpoint));
  batch.audits.push_back({call->api.now(), call->principal.who(), what, endpoint.id,
                          "{\"url\":" + json_string(endpoint.url) + "}"});
  auto stored = [call, endpoint = std::move(endpoint),
                 then = std::move(then)](Result<storage::Outcome> done) mutable {
    if (!done) return call->fail(done.error());
    if (!done->docs.front().written)
      return call->fail({ErrorCode::state_conflict,
                         "The endpoint was changed meanwhile; look at it and try again."});
    endpoint.version = done->docs.front().version;
    call->api.node().endpoints().put(endpoint);
    then(endpoint);
  };
  call->api.node().write(std::move(batch), call->on_loop<storage::Outcome>(std::move(stored)));
}

void reply_endpoint(RequestContext& call, int status, const WebhookEndpoint& endpoint,
                    const std::string& secret = {}) {
  std::string out;
  append_endpoint(out, endpoint, secret);
  call.reply(status, std::move(out));
}

}  // namespace

void list_webhooks(RequestPtr call) {
  if (!call->allow_only({})) return;
  std::string out = "{\"webhooks\":";
  append_list(out, call->api.node().endpoints().list(call->principal.project),
              [](std::string& to, const WebhookEndpoint& one) { append_endpoint(to, one, ""); });
  call->reply(200, out + '}');
}

void create_webhook(RequestPtr call) {
  if (!call->allow_only({}) || !call->expects_json()) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  WebhookEndpoint endpoint;
  fields.require("url");
  read_url(fields, endpoint);
  read_rest(fields, endpoint);
  std::string project;
  fields.text("project", project, 128);
  const std::optional<std::string> placed = call->project_for(project);
  if (!placed)
    fields.wrong("project", "The token belongs to another project.", ErrorCode::forbidden);
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  endpoint.id = call->api.node().ids().next().text();
  endpoint.project = *placed;
  endpoint.created = call->api.now();
  const WebhookSecret secret = WebhookSecret::make();
  endpoint.secrets.push_back({secret, std::nullopt});
  store(call, std::move(endpoint), "webhook.created",
        [call, text = secret.text()](const WebhookEndpoint& stored) {
          reply_endpoint(*call, 201, stored, text);
        });
}

void get_webhook(RequestPtr call) {
  if (!call->allow_only({})) return;
  if (const auto endpoint = find_endpoint(*call)) reply_endpoint(*call, 200, *endpoint);
}

void update_webhook(RequestPtr call) {
  if (!call->allow_only({}) || !call->expects_json()) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::optional<WebhookEndpoint> endpoint = find_endpoint(*call);
  if (!endpoint) return;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  read_url(fields, *endpoint);
  read_rest(fields, *endpoint);
  bool enabled = endpoint->health.enabled;
  if (fields.flag("enabled", enabled)) {
    endpoint->health.enabled = enabled;
    endpoint->health.failing_since.reset();
    endpoint->disabled_because = enabled ? "" : "switched off by " + call->principal.who();
  }
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  store(call, std::move(*endpoint), "webhook.changed",
        [call](const WebhookEndpoint& stored) { reply_endpoint(*call, 200, stored); });
}

void remove_webhook(RequestPtr call) {
  if (!call->allow_only({}) || !call->has_empty_body()) return;
  const auto endpoint = find_endpoint(*call);
  if (!endpoint) return;
  storage::Batch batch;
  batch.docs.push_back(EndpointRegistry::removal(endpoint->id));
  batch.audits.push_back(
      {call->api.now(), call->principal.who(), "webhook.removed", endpoint->id, "{}"});
  call->api.node().write(
      std::move(batch),
      call->on_loop<storage::Outcome>([call, id = endpoint->id](Result<storage::Outcome> done) {
        if (!done) return call->fail(done.error());
        call->api.node().endpoints().remove(id);
        call->reply(200, "{\"webhook_id\":" + json_string(id) + ",\"removed\":true}");
      }));
}

void rotate_webhook(RequestPtr call) {
  if (!call->allow_only({}) || !call->has_empty_body()) return;
  std::optional<WebhookEndpoint> endpoint = find_endpoint(*call);
  if (!endpoint) return;
  const WebhookSecret fresh = WebhookSecret::make();
  endpoint->secrets = rotated(endpoint->secrets, fresh, call->api.now(),
                              call->api.node().settings().webhook_rotate);
  store(call, std::move(*endpoint), "webhook.rotated",
        [call, text = fresh.text()](const WebhookEndpoint& stored) {
          reply_endpoint(*call, 200, stored, text);
        });
}

void test_webhook(RequestPtr call) {
  if (!call->allow_only({}) || !call->has_empty_body()) return;
  const auto endpoint = find_endpoint(*call);
  if (!endpoint) return;
  if (!endpoint->health.enabled)
    return call->fail({ErrorCode::state_conflict, "The endpoint is disabled; enable it first."});
  storage::Batch batch;
  const Uuid id = call->api.node().ids().next();
  const Instant now = call->api.now();
  storage::NoticeOp notice;
  notice.deliveries.push_back(
      {id, endpoint->id, "webhook.test", test_body(now, endpoint->id), now});
  batch.notices.push_back(std::move(notice));
  call->api.node().write(std::move(batch),
                         call->on_loop<storage::Outcome>([call, id](Result<storage::Outcome> done) {
                           if (!done) return call->fail(done.error());
                           call->reply(202, "{\"delivery_id\":" + json_string(id.text()) + "}");
                         }));
}

void job_webhook_secret(RequestPtr call) {
  if (!call->allow_only({"project"})) return;
  const auto project = call->project_for(call->query("project").value_or(""));
  if (!project) return call->fail({ErrorCode::resource_not_found});
  const WebhookSecret secret = call->api.node().endpoints().own_secret(*project);
  call->reply(200, "{\"project\":" + json_string(*project) +
                       ",\"secret\":" + json_string(secret.text()) + "}");
}

void webhook_deliveries(RequestPtr call) {
  if (!call->allow_only({"before", "limit"})) return;
  const auto endpoint = find_endpoint(*call);
  if (!endpoint) return;
  const auto limit = call->number("limit", 50, 1, page_max);
  if (!limit) return;
  std::optional<Uuid> before;
  if (const auto text = call->query("before")) {
    before = Uuid::parse(*text);
    if (!before) return call->fail({ErrorCode::invalid_field, "'before' is a delivery's id."});
  }
  call->read([call, id = endpoint->id, before,
              most = static_cast<int>(*limit)](storage::Reader& reader) {
    const auto found = reader.deliveries_of(id, before, most);
    if (!found) return call->fail(found.error());
    std::string out = "{\"deliveries\":";
    append_list(out, found.value(), append_delivery);
    std::string next;
    if (static_cast<int>(found->size()) == most) next = found->back().id.text();
    call->reply(200, out + ",\"next_before\":" + (next.empty() ? "null" : json_string(next)) + '}');
  });
}

// A delivery of a project's endpoint, or of one of its jobs.
void redeliver_webhook(RequestPtr call) {
  if (!call->allow_only({}) || !call->has_empty_body()) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  call->read([call, id = *id](storage::Reader& reader) {
    const auto found = reader.delivery(id);
    if (!found) return call->fail(found.error());
    const std::string& own = call->principal.project;
    bool visible = found->has_value();
    if (visible && !own.empty()) {
      const auto endpoint = call->api.node().endpoints().find((*found)->endpoint);
      visible = endpoint && endpoint->project == own;
    }
    if (!visible) return call->fail({ErrorCode::resource_not_found});
    storage::Batch batch;
    batch.redeliveries.push_back({id, call->api.now()});
    batch.audits.push_back(
        {call->api.now(), call->principal.who(), "webhook.redelivered", id.text(), "{}"});
    call->api.node().write(
        std::move(batch),
        call->on_loop<storage::Outcome>([call, id](Result<storage::Outcome> done) {
          if (!done) return call->fail(done.error());
          if (!done->redeliveries.front())
            return call->fail({ErrorCode::state_conflict,
                               "The delivery waits or is in flight, or its job is being deleted."});
          call->reply(202, "{\"delivery_id\":" + json_string(id.text()) + "}");
        }));
  });
}

}  // namespace quell::http::handlers
