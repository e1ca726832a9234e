// The API's description, made from routes.def, so that it cannot know a route that does not exist
// or miss one that does.
#pragma once

#include <string>

namespace quell::http {

std::string openapi_json();  // OpenAPI 3.1

}  // namespace quell::http
