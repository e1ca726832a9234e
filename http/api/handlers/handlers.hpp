// One function a row of routes.def.
#pragma once

#include <memory>

namespace quell::http {
class RequestContext;
using RequestPtr = std::shared_ptr<RequestContext>;
}  // namespace quell::http

namespace quell::http::handlers {

#define HTTP_ROUTE(handler, method, path, scope, body, sentence) void handler(RequestPtr call);
#include "http/api/routes.def"
#undef HTTP_ROUTE

}  // namespace quell::http::handlers
