// A server that is asked too often says when to come back; asking earlier makes it worse.
#pragma once

#include <optional>
#include <string>

#include "runtime/task/effects.hpp"
#include "runtime/task/task.hpp"

namespace quell {

// "Fri, 21 Nov 2025 08:49:37 GMT", the one form that servers may write today.
std::optional<Instant> parse_http_date(const std::string& text);

// The wait that `Retry-After` asks for, in seconds or as a date. A date is measured from the
// reply's own `Date`, so that a wrong clock on either side does not matter. At most a day.
std::optional<Millis> retry_after(const HttpReply& reply, Instant now);

// A reply that is no success, as the end of the attempt: asked too often (429), the server's own
// fault (5xx) and its passing states (408, 425) may be tried again, anything else may not.
JobError unwelcome_reply(const std::string& url, const HttpReply& reply, const std::string& body,
                         Instant now);

}  // namespace quell
