// A redirect is a request that a stranger asks for. It is followed by our own code, hop by hop, so
// that each hop gets its own permit and address check, and no secret travels to a host it was not
// meant for.
#pragma once

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/task/effects.hpp"

namespace quell {

bool is_redirect(int status);  // 301, 302, 303, 307, 308

// What `reference` means when it is read on the page `base` (RFC 3986, 5.2), without its fragment.
Result<std::string> resolve_url(const std::string& base, const std::string& reference);

// "scheme://host:port", in lower case and with the port spelt out; "" when there is none.
std::string origin_of(const std::string& url);

// The request that a redirect with this status and Location asks for, with one redirect less to
// go. Refused: one more than the request allows, a step from https down to http, a URL with
// credentials, and whatever is not http. On a new origin the request carries no credential.
Result<HttpRequest> redirected(const HttpRequest& request, int status, const std::string& location);

}  // namespace quell
