#include "http/api/views/webhook_views.hpp"

#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"

namespace quell::http {

void append_endpoint(std::string& out, const WebhookEndpoint& endpoint, const std::string& secret) {
  ObjectWriter view(out);
  view.text("webhook_id", endpoint.id);
  view.text("url", endpoint.url);
  view.text("project", endpoint.project);
  view.text("description", endpoint.description);
  append_list(view.key("events"), endpoint.events,
              [](std::string& to, const std::string& event) { append_quoted(to, event); });
  view.flag("enabled", endpoint.health.enabled);
  view.text_or_null("disabled_because", endpoint.disabled_because);
  view.time("failing_since", endpoint.health.failing_since);
  view.time("created_at", endpoint.created);
  if (!secret.empty()) view.text("secret", secret);
  std::optional<Instant> overlap;
  for (const LivingSecret& one : endpoint.secrets)
    if (one.until) overlap = one.until;
  view.time("old_secret_until", overlap);
}

void append_delivery(std::string& out, const storage::DeliveryView& delivery) {
  ObjectWriter one(out);
  one.text("delivery_id", delivery.id.text());
  one.text("event", delivery.event);
  one.text_or_null("endpoint", delivery.endpoint);
  one.text_or_null("job_id", delivery.job.is_nil() ? "" : delivery.job.text());
  one.number("tries", delivery.tries);
  one.flag("in_flight", delivery.in_flight);
  one.time("next_try", delivery.due);
  one.json("request", delivery.body);
  one.json("last_reply", delivery.log);
}

}  // namespace quell::http
