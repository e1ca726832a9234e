// Webhook endpoints and deliveries as JSON, the way API clients see them.
#pragma once

#include <string>

#include "actors/webhooks/endpoint_registry.hpp"

namespace quell::http {

// `secret` is shown when it was just made; "" otherwise.
void append_endpoint(std::string& out, const WebhookEndpoint& endpoint, const std::string& secret);
void append_delivery(std::string& out, const storage::DeliveryView& delivery);

}  // namespace quell::http
