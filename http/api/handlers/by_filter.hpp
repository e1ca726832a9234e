// What the routes share that act on all jobs of a filter.
#pragma once

#include "actors/operations/operation.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/request_context.hpp"

namespace quell::http::handlers {

// Reads the body, checks it against its preview, and begins the operation.
void begin_by_filter(const RequestPtr& call, OperationVerb verb, const JsonValue& body);

// A refusal; of a held delete with its alert.
void fail_held(RequestContext& call, const Error& error);

}  // namespace quell::http::handlers
