// The API's description: which routes there are comes from routes.def, so that it cannot know one
// that does not exist or miss one that does; what they take and give, from the files of http/api.
#pragma once

#include <string>
#include <vector>

#include "http/api/router.hpp"

namespace quell::http {

std::string openapi_json();  // OpenAPI 3.1
// What a route can answer with, errors too.
const std::vector<std::string>& media_types(const Route& route);

}  // namespace quell::http
