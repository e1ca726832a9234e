// The API's description: which routes there are comes from routes.def, so that it cannot know one
// that does not exist or miss one that does; what they take and give, from the files of http/api.
#pragma once

#include <string>

namespace quell::http {

std::string openapi_json();  // OpenAPI 3.1

}  // namespace quell::http
