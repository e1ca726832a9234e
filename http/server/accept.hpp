// What a caller is willing to be answered with (RFC 9110, 12.5.1), against what a route can say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quell::http {

// True when one of `media` ("application/json") may be sent. A caller that says nothing takes all;
// a range that cannot be understood takes nothing.
bool accepts(std::string_view accept, const std::vector<std::string>& media);

}  // namespace quell::http
