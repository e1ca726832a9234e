// One function a row of routes.def.
#pragma once

#include <memory>

namespace quell::http {
class Call;
using CallPtr = std::shared_ptr<Call>;
}  // namespace quell::http

namespace quell::http::handlers {

#define HTTP_ROUTE(handler, method, path, scope, body, sentence) void handler(CallPtr call);
#include "http/routes.def"
#undef HTTP_ROUTE

}  // namespace quell::http::handlers
