// The version of a stored setting as an entity tag, and the condition that a caller makes of it.
#pragma once

#include <optional>
#include <string>

#include "http/api/request_context.hpp"

namespace quell::http {

std::string version_tag(std::int64_t version);  // "3", with its quotes; 0: never changed

// What If-Match asks for; no condition when it is absent or "*". Nothing, and the call is answered,
// when it is more than one tag.
struct VersionWanted {
  std::optional<std::int64_t> version = {};
};
std::optional<VersionWanted> version_wanted(RequestContext& call);

void fail_version(RequestContext& call, std::int64_t version);  // 412, with what is there now
void reply_with_version(RequestContext& call, std::string json, std::int64_t version);
// Of the document as it is stored; 0 when there is none.
Result<std::int64_t> stored_version(storage::Reader& reader, const std::string& kind,
                                    const std::string& id);

}  // namespace quell::http
